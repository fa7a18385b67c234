"""What counts as evidence: rates since it began, of now, of each tenant; absence is none.

Each test leaves rows that look like a failure or hide one, in the running lab, and takes them back.
"""

import json
import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from uuid import uuid4

import psycopg
import pytest

from runbook_nb.errors import NoAnswerError, NothingDoneError
from runbook_nb.packs.control_plane.systems import (
    clocks,
    connection_rows,
    flags,
    heartbeats,
    locks,
    platform_health,
    sessions,
    streams,
    toolcalls,
)
from runbook_nb.probes.environment import Environment
from runbook_nb.text.durations import hours, minutes, seconds
from runbook_nb.timeline.store.embedded.files import read_secret

WINDOW = minutes(5)
JUST_NOW = seconds(5)
LIVE = """
select m.id, m.tenant_id from missions m
join mission_sessions s on s.mission_id = m.id and s.status = 'active'
where m.status = 'in_progress' order by m.id
"""
EVENT = """
insert into telemetry_events
  (mission_id, tenant_id, agent_name, stage, event_type, status, context, correlation_id,
   created_at)
values (%s, %s, 'executor', 'Execute', 'execution_step_completed', %s, %s, %s,
        clock_timestamp() - %s)
"""
CALL = """
insert into composio_audit_events
  (mission_id, tenant_id, toolkit, action, status, error_code, outcome, latency_ms, occurred_at)
values (%s, %s, %s, 'READ', %s, %s, jsonb_build_object('mark', %s::text), %s,
        clock_timestamp() - %s)
"""
STREAM = """
insert into workspace_stream_sessions
  (mission_id, tenant_id, session_id, sampling_mode, metadata, connected_at, disconnected_at)
values (%s, %s, %s, 'full', jsonb_build_object('mark', %s::text, 'ended_by', 'client'),
        clock_timestamp() - %s::interval, clock_timestamp() - %s::interval)
"""
FORGET = """
delete from telemetry_events where correlation_id = %(mark)s;
delete from composio_audit_events where outcome ->> 'mark' = %(mark)s;
delete from workspace_stream_sessions where metadata ->> 'mark' = %(mark)s
"""


class Story:
    """Rows that a test leaves, all of one mark."""

    def __init__(self, connection):
        self._connection, self.mark = connection, f"test-{uuid4()}"
        self.missions = connection.execute(LIVE).fetchall()

    def event(self, *, mission=0, status="success", ago=JUST_NOW, **context):
        """Leave an event of a live mission."""
        row = (*self.missions[mission], status, json.dumps(context), self.mark, ago)
        self._connection.execute(EVENT, row)

    def call(self, *, toolkit="probekit", mission=0, status="success", code=None, ago=JUST_NOW):
        """Leave a tool call of a live mission."""
        row = (*self.missions[mission], toolkit, status, code, self.mark, 300, ago)
        self._connection.execute(CALL, row)

    def stream(self, *, session, opened, closed):
        """Leave a stream that was closed."""
        self._connection.execute(STREAM, (*self.missions[0], session, self.mark, opened, closed))

    def run(self, statement, *rest):
        """Run a statement as the superuser."""
        return self._connection.execute(statement, rest or None)

    @contextmanager
    def without_triggers(self):
        """Change rows and leave their stamps."""
        self._connection.execute("set session_replication_role = replica")
        try:
            yield
        finally:
            self._connection.execute("set session_replication_role = origin")


@pytest.fixture
def story(lab):
    """Give rows to leave; all of them go after the test."""
    with psycopg.connect(read_secret(lab.folder, "postgres.dsn"), autocommit=True) as connection:
        told = Story(connection)
        yield told
        for statement in FORGET.split(";"):
            connection.execute(statement, {"mark": told.mark})


@pytest.fixture
def alone(story):
    """Hide what else happened on this lab, which would be in each share, and bring it back."""
    moved = story.run(
        "update telemetry_events set created_at = created_at - interval '1 hour' "
        "where created_at > clock_timestamp() - interval '15 minutes' "
        "and event_type not like '%%heartbeat%%' and correlation_id is distinct from %s "
        "returning id",
        story.mark,
    ).fetchall()
    yield
    story.run(
        "update telemetry_events set created_at = created_at + interval '1 hour' "
        "where id = any(%s)",
        [row[0] for row in moved],
    )


@contextmanager
def paused(story, mission, *, how):
    """Let a live mission rest for an hour: its session stays active and owes no beat."""
    identity = story.missions[mission][0]
    claim = (
        "select pg_advisory_{}(hashtextextended(id::text, 0)) from mission_sessions "
        "where mission_id = %s"
    )
    with story.without_triggers():
        # The agent lets an idle session go; while it is claimed here, the agent leaves it alone.
        story.run("update mission_sessions set status = 'idle' where mission_id = %s", identity)
        story.run(claim.format("lock"), identity)
        story.run(
            "update mission_sessions set status = 'active', state = state - 'runner', "
            "last_heartbeat_at = now() - interval '1 hour', updated_at = now() - interval '1 hour' "
            "where mission_id = %s",
            identity,
        )
        story.run(how, identity)
    try:
        yield
    finally:
        story.run(claim.format("unlock"), identity)
        story.run(
            "update missions set status = 'in_progress', current_stage = 'Execute' where id = %s",
            identity,
        )
        story.run(
            "update mission_sessions set last_heartbeat_at = now() where mission_id = %s", identity
        )


# --- Rates over the time since it began.


def test_a_storm_of_four_minutes_is_told_at_its_own_rate(story, hands):
    """Not thinned over a window of fifteen."""
    for number in range(40):
        story.stream(session=f"tab-{story.mark}", opened=seconds(6 * number + 1), closed=seconds(1))
    assert 9 < hands.value(streams.opens_per_minute(window=minutes(15))) < 12


def test_a_storm_that_is_over_is_no_storm_and_a_reload_never_was(story, hands):
    """The newest open was four minutes ago; and three tabs were opened a minute ago."""
    for number in range(40):
        story.stream(session=f"old-{story.mark}", opened=seconds(240 + number), closed=seconds(1))
    for number in range(3):
        story.stream(session=f"new-{story.mark}", opened=seconds(50 + number), closed=seconds(40))
    assert hands.value(streams.opens_per_minute(window=minutes(15))) == 0


def test_tabs_closed_at_the_end_of_the_day_were_not_cut_off(story, hands):
    """Streams that their browsers open again within seconds were."""
    for number in range(12):
        story.stream(session=f"day-{number}-{story.mark}", opened=hours(3), closed=seconds(30))
    assert hands.value(streams.cut_off(window=minutes(15))) == 0
    for number in range(4):
        story.stream(
            session=f"cut-{story.mark}",
            opened=seconds(60 - 10 * number),
            closed=seconds(52 - 10 * number),
        )
    assert hands.value(streams.cut_off(window=minutes(15))) > 2


@pytest.mark.usefixtures("alone")
def test_errors_of_the_newest_minute_are_not_thinned_over_the_window(story, hands):
    """Nor over heartbeats."""
    for number in range(200):
        story.event(ago=seconds(80 + number))
    for number in range(12):
        story.event(status="error", ago=seconds(number + 1))
    assert hands.value(platform_health.error_share(window=WINDOW)) > 50


@pytest.mark.usefixtures("alone")
def test_one_tenants_errors_do_not_hide_behind_anothers_good_events(story, hands):
    """Most of its events are errors, and one in six of all."""
    one = next(i for i, m in enumerate(story.missions) if m[1] != story.missions[0][1])
    for number in range(400):
        story.event(ago=seconds(100 + number / 10))
    for number in range(80):
        story.event(mission=one, status="error", ago=seconds(100 + number))
    assert hands.value(platform_health.error_share(window=WINDOW)) > 50


def test_two_errors_are_nobodys_outage(story, hands):
    """Though nothing else happened."""
    for _ in range(2):
        story.event(status="error")
    assert hands.value(platform_health.error_share(window=WINDOW)) < 1


# --- Of now, and not of then.


def test_failures_of_last_night_are_not_of_now(story, hands):
    """The newest twenty calls of a toolkit are from nine hours ago."""
    for number in range(20):
        story.call(status="error", code="UPSTREAM_TIMEOUT", ago=hours(9) + seconds(number))
    read = hands.read(toolcalls.worst_toolkit(calls=20))
    assert all(row["toolkit"] != "probekit" for row in read.detail)


def test_every_third_call_and_one_tenant_alone_are_seen(story, hands):
    """Twelve calls are enough, though twenty are looked at."""
    for number in range(12):
        story.call(status="error" if number % 3 == 0 else "success", ago=seconds(number + 1))
    assert hands.value(toolcalls.worst_toolkit(calls=20)) == pytest.approx(33.3, abs=0.1)


def test_one_failed_call_of_twelve_is_luck(story, hands):
    """A share of few calls is moved by one."""
    for number in range(12):
        story.call(status="error" if number == 3 else "success", ago=seconds(number + 1))
    assert hands.value(toolcalls.worst_toolkit(calls=20)) == 0


def test_refusals_that_ended_are_over(story, hands):
    """The call after them was taken."""
    for number in range(5):
        story.call(status="auth_expired", ago=seconds(30 + number))
    assert hands.value(toolcalls.auth_failures(window=hours(1))) == 5
    assert hands.value(connection_rows.refused_in_a_row(window=hours(1))) == 5
    story.call(ago=seconds(1))
    assert hands.value(toolcalls.auth_failures(window=hours(1))) == 0
    assert hands.value(connection_rows.refused_in_a_row(window=hours(1))) == 0


def test_an_error_code_without_a_word_is_one_fact_for_both_runbooks(story, hands):
    """Triage and the runbook that it sends to read the same."""
    for number in range(4):
        story.call(status=None, code="OAUTH_EXPIRED", ago=seconds(number + 1))
    assert hands.value(toolcalls.auth_failures(window=hours(1))) == 4
    assert hands.value(connection_rows.refused_in_a_row(window=hours(1))) == 4
    assert hands.value(connection_rows.auth_errors(window=hours(1))) == 100


def test_one_tenant_that_is_refused_every_call_is_not_averaged_away(story, hands):
    """Behind two hundred good calls of another."""
    other = next(i for i, m in enumerate(story.missions) if m[1] != story.missions[0][1])
    for number in range(200):
        story.call(ago=seconds(60 + number / 10))
    for number in range(4):
        story.call(mission=other, status="auth_expired", ago=seconds(number + 1))
    assert hands.value(connection_rows.auth_errors(window=hours(1))) == 100


# --- Legitimate.


def test_missions_that_wait_for_an_approval_are_left_alone(story, hands):
    """No beat is due, nobody is affected, and ending dead sessions leaves theirs."""
    with paused(story, 0, how="update missions set current_stage = 'Approve' where id = %s"):
        assert hands.value(sessions.silent(older_than=seconds(90))) == 0
        assert hands.value(heartbeats.gap()) < 60
        assert hands.value(platform_health.heartbeat_age()) < 60
        assert hands.value(platform_health.severity(window=WINDOW)) == "none"
        ended = hands.do(sessions.terminate_silent(older_than=seconds(90)))
        assert ended["sessions terminated"] == []


def test_a_mission_blocked_on_purpose_is_no_failure(story, hands):
    """It was stopped with a reason, and nothing of it failed."""
    identity = story.missions[0][0]
    reason = "update mission_stage_status set blocking_reason = %s where mission_id = %s"
    how = "update missions set status = 'blocked', updated_at = now() where id = %s"
    story.run(reason + " and stage = 'Execute'", "paused by its owner", identity)
    try:
        with paused(story, 0, how=how):
            assert hands.value(platform_health.mission_success(window=WINDOW)) == 100
            assert hands.value(platform_health.severity(window=WINDOW)) == "none"
    finally:
        story.run(reason, None, identity)


def test_missions_that_a_failure_blocked_are_affected_though_no_longer_live(story, hands):
    """Two of them, with errors just before."""
    how = "update missions set status = 'blocked', updated_at = now() where id = %s"
    for number in (0, 1):
        story.event(mission=number, status="error", ago=seconds(20))
    with paused(story, 0, how=how), paused(story, 1, how=how):
        assert hands.value(platform_health.mission_success(window=WINDOW)) == 75
        assert hands.value(platform_health.severity(window=WINDOW)) == "SEV2"


@pytest.mark.usefixtures("alone")
def test_one_error_in_each_mission_that_goes_on_is_no_outage(story, hands):
    """Three in one mission are."""
    for number in range(len(story.missions)):
        story.event(mission=number, status="error", ago=seconds(60))
    assert hands.value(platform_health.severity(window=WINDOW)) == "none"
    for _ in range(2):
        story.event(mission=0, status="error", ago=seconds(50))
    assert hands.value(platform_health.severity(window=WINDOW)) == "SEV3"


@pytest.mark.parametrize(
    "text",
    ["git@github.com:acme/plans.git", "logo@2x.png", "img@3x.webp", "left-pad@1.3.0"],
)
def test_what_only_looks_like_an_address_is_no_leak(story, hands, text):
    """Places of repositories, pictures of two resolutions, versions of packages."""
    story.event(text=text)
    assert hands.value(platform_health.leak_signals()) == 0


@pytest.mark.parametrize("text", ["ann@example.com", "git@github.com:x and ann@example.co.uk"])
def test_an_address_is_a_leak_beside_anything(story, hands, text):
    """One is enough."""
    story.event(text=text)
    assert hands.value(platform_health.leak_signals()) == 1


# --- The right control.


def test_a_flag_is_not_blamed_for_what_fails_alike_without_it(lab, story, hands):
    """Turning it off is declined as well."""
    story.run("create table feature_flags (flag_name text primary key, enabled boolean not null)")
    story.run("insert into feature_flags values ('new_planner', true)")
    try:
        for number in range(60):
            failed = "error" if number % 5 == 0 else "success"
            story.event(status=failed, ago=seconds(number + 1), feature_flag="new_planner")
            story.event(status=failed, ago=seconds(number + 1))
        assert hands.value(flags.error_share(window=minutes(30))) == 0
        with pytest.raises(NothingDoneError, match="mend nothing"):
            hands.do(flags.turn_off(above=2, window=minutes(30)))
        for number in range(300):
            story.event(ago=seconds(number / 5))
        assert hands.value(flags.error_share(window=minutes(30))) == 20
        assert hands.do(flags.turn_off(above=2, window=minutes(30)))["turned off"] == [
            "new_planner"
        ]
    finally:
        story.run("drop table feature_flags")


# --- Clocks.


def test_rows_of_the_future_are_a_clock_that_is_ahead(story, hands):
    """And neither hide a silence nor count as fresh."""
    assert hands.value(clocks.difference()) < 5
    story.event(ago=seconds(-1020))
    assert hands.value(clocks.difference()) == pytest.approx(1020, abs=5)
    assert hands.value(platform_health.telemetry_age()) < 1


def test_a_beat_of_the_future_hides_no_silence(story, hands):
    """The database stamped the row with the beat, whatever the agent's clock said."""
    identity = story.missions[0][0]
    how = (
        "update mission_sessions set last_heartbeat_at = now() + interval '17 minutes', "
        "updated_at = now() - interval '4 minutes' where mission_id = %s"
    )
    with paused(story, 0, how=how):
        assert hands.value(platform_health.heartbeat_age()) > 200
    assert identity


def test_no_service_that_tells_its_time_is_no_comparison(lab, hands):
    """A setting that is missing is named in the detail, and nothing was compared."""
    with pytest.raises(NoAnswerError, match="no clock was compared"):
        hands.read(clocks.difference(services=("nowhere",)))


@pytest.mark.parametrize(
    ("ages_s", "told_s"),
    [((9, 0), 0), ((12, 11, 0), 0), ((9, 9, 9), 9), ((300, 300, 9), 9), ((-60, -60, -60), 60)],
)
def test_a_date_from_before_a_blocked_loop_is_no_clock_that_is_behind(lab, ages_s, told_s):
    """Asked once more it tells the time; a clock that is behind, or ahead, stays so."""
    left = iter(ages_s)

    class Late(BaseHTTPRequestHandler):
        def do_GET(self):
            told = datetime.now(UTC) - timedelta(seconds=next(left))
            self.send_response_only(200)
            self.send_header("date", format_datetime(told, usegmt=True))
            self.send_header("content-length", "0")
            self.end_headers()

    with ThreadingHTTPServer(("127.0.0.1", 0), Late) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        database = {"reader": f"file:{lab.folder}/secrets/reader.dsn"}
        late = {"url": f"http://127.0.0.1:{server.server_port}"}
        here = Environment("trial", {"kind": "lab", "database": database, "late": late})
        found = clocks.difference(services=("late",)).read(here.reading([]))
        server.shutdown()
    assert found.value == pytest.approx(told_s, abs=1.5)


# --- Absence is not evidence.


def test_who_sees_only_its_own_lines_of_the_statistics_counts_none(lab, story):
    """Locks and connections of others would be missing without a word."""
    story.run("create role narrow login password 'narrow-reader' noinherit")
    try:
        story.run("grant usage on schema public to narrow")
        dsn = psycopg.conninfo.make_conninfo(
            read_secret(lab.folder, "reader.dsn"), user="narrow", password="narrow-reader"
        )
        (lab.folder / "secrets" / "narrow.dsn").write_text(dsn)
        place = f"file:{lab.folder}/secrets/narrow.dsn"
        narrow = Environment("trial", {"kind": "lab", "database": {"reader": place}})
        for probe in (locks.waiting(longer_than=seconds(5)), platform_health.connections_used()):
            with pytest.raises(NoAnswerError, match="pg_read_all_stats"):
                probe.read(narrow.reading([]))
    finally:
        story.run("drop owned by narrow")
        story.run("drop role narrow")


def test_a_lock_that_others_wait_for_is_found_with_who_holds_it(lab, story, hands):
    """A restart of whoever waits would not help."""
    dsn = read_secret(lab.folder, "postgres.dsn")
    with psycopg.connect(dsn) as holder, psycopg.connect(dsn) as waiter:
        holder.execute("lock table mission_feedback in access exclusive mode")
        waiter.pgconn.send_query(b"select count(*) from mission_feedback")
        story.run("select pg_sleep(0.4)")
        read = hands.read(locks.waiting(longer_than=seconds(0.2)))
        holder.rollback()
        while waiter.pgconn.get_result():
            pass
    assert read.value == 1
    assert read.detail[0]["waits_for"] == "mission_feedback"
    assert read.detail[0]["held_by"]


def test_ending_sessions_is_declined_while_none_beats_at_all(story, hands):
    """Then the agent is silent, and not they."""
    with pytest.raises(NothingDoneError, match="restart the agent"):
        hands.do(sessions.terminate_silent(older_than=seconds(-60)))
