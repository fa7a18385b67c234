"""The seed fills a lab with four weeks of healthy work, the same every time."""

import hashlib
import json
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from runbook_nb.packs.control_plane.lab.database import apply_schema
from runbook_nb.packs.control_plane.lab.postgres import LabPostgres
from runbook_nb.packs.control_plane.lab.seed import end_of_past, seed, seed_past, seed_present

pytestmark = [pytest.mark.lab, pytest.mark.slow]

Connection = psycopg.Connection[tuple[Any, ...]]

# A Tuesday afternoon, a weekend night, the turn of an hour, of a day and of a week, and the last
# moment before the past is written anew.
NOW = datetime(2026, 11, 24, 14, 7, 31, tzinfo=UTC)
OTHER_TIMES = [
    datetime(2026, 11, 22, 3, 40, tzinfo=UTC),
    datetime(2026, 11, 23, 0, 0, 0, 400, tzinfo=UTC),
    datetime(2026, 11, 24, 9, 14, 59, 999_000, tzinfo=UTC),
]

RECENT_BEATS = """
select count(*) from telemetry_events
where event_type = 'session_heartbeat' and created_at > %(now)s - interval '15 minutes'
"""
# Each finds what a healthy platform has none of.
PROBLEMS = {
    "rows from the future": """
        select count(*) from telemetry_events where created_at > %(now)s
    """,
    "beats that an agent could not tell from its own": RECENT_BEATS,
    "beats that came late": """
        select count(*) from telemetry_events
        where event_type = 'session_heartbeat' and (context ->> 'lag_ms')::int > 5000
    """,
    "lags that the dashboard drops": """
        select count(*) from telemetry_events
        where event_type = 'session_heartbeat' and context ->> 'lag_ms' !~ '^[0-9]+$'
    """,
    "gaps of over a minute between the beats of a run": """
        select count(*)
        from (
            select created_at - lag(created_at) over (partition by mission_id order by created_at)
                as gap
            from telemetry_events where event_type = 'session_heartbeat'
        ) as beats
        where gap > interval '60 seconds'
    """,
    "silent sessions": """
        select count(*) from mission_sessions
        where status = 'active' and last_heartbeat_at < %(now)s - interval '60 seconds'
    """,
    "active sessions of missions that do not execute": """
        select count(*) from mission_sessions
        inner join missions on missions.id = mission_id
        where mission_sessions.status = 'active'
            and (missions.status, current_stage) <> ('in_progress', 'Execute')
    """,
    "open streams": "select count(*) from workspace_stream_sessions where disconnected_at is null",
    "Connect Links that nobody followed": """
        select count(*) from mission_connections where status = 'initiated'
    """,
    "connections approved past their expiry": """
        select count(*) from mission_connections
        where status = 'approved' and expires_at < %(now)s + interval '24 hours'
    """,
    "connections that got less than was asked for": """
        select count(*) from mission_connections
        where status = 'approved' and not granted_scopes @> requested_scopes
    """,
    "coverage below 85 %": """
        select count(*) from mission_stage_status where coverage_percent < 85
    """,
    "readiness that differs between places": """
        select count(*) from missions where readiness <> get_mission_readiness(id)
    """,
    "failed calls of the last day": """
        select count(*) from composio_audit_events
        where status <> 'success' and occurred_at > %(now)s - interval '24 hours'
    """,
    "toolkits that fail 5 % of their calls": """
        select count(*) from (
            select 1 from composio_audit_events
            group by toolkit having avg((status <> 'success')::int) >= 0.05
        ) as failing
    """,
    "calls without an event": """
        select count(*) from composio_audit_events as audit
        where not exists (
            select from telemetry_events as event
            where event.mission_id = audit.mission_id
                and event.event_type like 'composio_tool_call%%'
                and event.context ->> 'toolkit' = audit.toolkit
                and event.created_at = audit.occurred_at
        )
    """,
    "stages without an event near their last change": """
        select count(*) from mission_stage_status as stage
        where not exists (
            select from telemetry_events as event
            where event.mission_id = stage.mission_id
                and event.created_at between stage.updated_at - interval '5 minutes'
                and stage.updated_at + interval '5 minutes'
        )
    """,
    "undo plans without steps": """
        select count(*) from mission_undo_plans where status = 'ready' and steps = '[]'
    """,
    "selected plays without an undo plan": """
        select count(*) from mission_plays where selected and undo_plan_id is null
    """,
    "undo requests without an end": """
        select count(*) from mission_undo_plans as plan
        where (
            select count(*) filter (where event_type = 'requested')
                <> count(*) filter (where event_type in ('executed', 'failed'))
            from undo_events where undo_plan_id = plan.id
        )
    """,
    "blocked runs of the last week": """
        select count(*) from missions
        where status = 'blocked' and current_stage = 'Execute'
            and updated_at > %(now)s - interval '7 days'
    """,
    "evidence that waits for redaction": """
        select count(*) from mission_evidence where redaction_status = 'pending_review'
    """,
    "completed missions without evidence": """
        select count(*) from missions
        where completed_at is not null
            and not exists (select from mission_evidence where mission_id = missions.id)
    """,
    "events of a tenant other than the mission's": """
        select count(*) from telemetry_events as event
        inner join missions on missions.id = event.mission_id
        where event.tenant_id <> missions.tenant_id
    """,
    "entries whose embedding is missing or older than their text": """
        select count(*) from library_entries as entry
        left join library_embeddings as embedding on embedding.entry_id = entry.id
        where embedding.entry_id is null or embedding.updated_at < entry.updated_at
    """,
    "embeddings that are not of length one": """
        select count(*) from library_embeddings where abs(vector_norm(embedding) - 1) > 0.001
    """,
    "incidents that are not resolved": """
        select abs(
            count(*) filter (where event_type = 'incident_opened')
            - count(*) filter (where event_type = 'incident_resolved')
        )
        from telemetry_events
    """,
    "job runs that failed or ran late": """
        select count(*) from cron.job
        where not exists (
            select from cron.job_run_details as run
            where run.jobid = job.jobid and run.end_time <= %(now)s
                and run.end_time > %(now)s - case
                    when jobname = 'cleanup_telemetry_events' then interval '65 minutes'
                    when jobname = 'refresh_library_embeddings' then interval '170 hours'
                    else interval '26 hours'
                end
        ) or exists (select from cron.job_run_details where status <> 'succeeded')
    """,
}
SHARES = {
    "missions that succeed": (
        0.99,
        """
        select avg((status in ('completed', 'archived'))::int) from missions
        where status in ('completed', 'archived')
            or (status = 'blocked' and current_stage = 'Execute')
        """,
    ),
    "undos that succeed": (
        0.95,
        """
        select avg((event_type = 'executed')::int) from undo_events
        where event_type in ('executed', 'failed')
        """,
    ),
    "streams that end with their run": (
        0.99,
        """
        select avg((metadata ->> 'ended_by' = 'execution_complete')::int)
        from workspace_stream_sessions
        """,
    ),
    "events that are no error": (
        0.99, "select avg((status <> 'error')::int) from telemetry_events"
    ),
    "links that are followed": (
        0.95, "select avg((status = 'approved')::int) from mission_connections"
    ),
}  # fmt: skip
NEIGHBOURS = """
select found.category, score
from search_library_entries(
    (select embedding from library_embeddings where entry_id = %s), 0.75, 10
)
inner join library_entries as found on found.id = entry_id
"""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="runbook-seed-") as folder:
        # As root the server runs as nobody, who has to pass through this folder.
        Path(folder).chmod(0o711)
        server = LabPostgres(Path(folder))
        server.start()
        try:
            apply_schema(server.dsn())
            yield server.dsn()
        finally:
            server.stop()


def empty(server: str, name: str) -> str:
    """Copy the empty database and return the copy's connection string."""
    with psycopg.connect(server, dbname="template1", autocommit=True) as connection:
        connection.execute(
            sql.SQL("create database {} template postgres").format(sql.Identifier(name))
        )
    return make_conninfo(server, dbname=name)


def seeded(server: str, name: str, *, now: datetime = NOW, random_seed: int = 7) -> str:
    """Seed a database of its own and return its connection string."""
    dsn = empty(server, name)
    with psycopg.connect(dsn) as connection:
        seed(connection, now=now, random_seed=random_seed)
    return dsn


@pytest.fixture(scope="module")
def database(server: str) -> str:
    return seeded(server, "seeded")


@pytest.fixture
def connection(database: str) -> Iterator[Connection]:
    with psycopg.connect(database) as connection:
        yield connection
        connection.rollback()


def count(connection: Connection, query: str, **parameters: object) -> Any:
    """Return the single value of the single row."""
    row = connection.execute(query, parameters).fetchone()
    assert row is not None
    return row[0]


def fingerprints(dsn: str) -> dict[str, str]:
    """Return a hash of each table's rows, without the rows and times that the schema gave."""
    found = {}
    with psycopg.connect(dsn) as connection:
        tables = connection.execute(
            "select relname from pg_class where relnamespace = 'public'::regnamespace"
            " and relkind in ('r', 'm') union select 'cron.job_run_details'"
        ).fetchall()
        for (table,) in tables:
            query = sql.SQL("select r::text from {} as r order by 1").format(
                sql.Identifier(*table.split("."))
            )
            if table == "tenants":
                query = sql.SQL("select t::text from tenants as t where slug <> 'demo' order by 1")
            if table == "personas":
                query = sql.SQL("select id || name from personas order by 1")
            rows = [row for (row,) in connection.execute(query).fetchall()]
            found[table] = hashlib.sha256("\n".join(rows).encode()).hexdigest()
    return found


@pytest.mark.slow
def test_the_same_time_and_number_give_the_same_rows(server: str, database: str) -> None:
    """Two labs can be compared, ids included."""
    assert fingerprints(seeded(server, "again")) == fingerprints(database)


@pytest.mark.slow
def test_a_past_written_earlier_and_the_present_are_the_rows_of_now(
    server: str, database: str
) -> None:
    """So a lab may begin with a copy of the past."""
    dsn = empty(server, "in_two_halves")
    with psycopg.connect(dsn) as connection:
        seed_past(connection, now=NOW - timedelta(minutes=7))
    with psycopg.connect(dsn) as connection:
        seed_present(connection, now=NOW)

    assert fingerprints(dsn) == fingerprints(database)


def test_the_past_ends_with_the_quarter_of_an_hour() -> None:
    """Whatever zone the caller counts in."""
    ended = datetime(2026, 11, 24, 14, tzinfo=UTC)

    assert end_of_past(NOW) == end_of_past(ended) == ended
    assert end_of_past(NOW.astimezone(timezone(timedelta(hours=5, minutes=30)))) == ended
    assert end_of_past(ended - timedelta(microseconds=1)) == ended - timedelta(minutes=15)


@pytest.mark.slow
def test_another_number_gives_other_rows(server: str, database: str) -> None:
    """The number is what decides."""
    other = fingerprints(seeded(server, "other", random_seed=8))

    assert other["missions"] != fingerprints(database)["missions"]


def test_a_database_that_is_not_empty_is_refused(database: str, connection: Connection) -> None:
    """Half of a second seed would be worse than none."""
    before = count(connection, "select count(*) from telemetry_events")

    with psycopg.connect(database) as second, pytest.raises(psycopg.Error):
        seed(second, now=NOW)

    assert count(connection, "select count(*) from telemetry_events") == before


@pytest.mark.parametrize(
    ("table", "fewest", "most"),
    [
        ("tenants", 3, 3),
        ("missions", 258, 258),
        ("mission_stage_status", 1500, 1806),
        ("mission_connections", 350, 550),
        ("mission_plays", 400, 516),
        ("mission_artifacts", 550, 750),
        ("mission_feedback", 180, 250),
        ("composio_audit_events", 800, 1200),
        ("undo_events", 200, 400),
        ("workspace_stream_sessions", 190, 250),
        ("telemetry_events", 10_000, 16_000),
        ("library_entries", 120, 200),
        ("library_embeddings", 120, 200),
    ],
)
def test_each_table_has_weeks_of_rows(
    connection: Connection, table: str, fewest: int, most: int
) -> None:
    """The lab looks lived in and is still quick to make."""
    query = sql.SQL("select count(*) from {}").format(sql.Identifier(table))

    assert fewest <= connection.execute(query).fetchone()[0] <= most  # type: ignore[index]


def test_every_status_and_stage_has_missions_in_both_tenants(connection: Connection) -> None:
    """A probe that counts by either has something to count."""
    assert count(connection, "select count(distinct status) from missions") == 6
    assert count(connection, "select count(distinct current_stage) from missions") == 7
    assert count(connection, "select count(distinct tenant_id) from missions") == 2


def test_more_missions_come_every_week_and_few_on_weekends(connection: Connection) -> None:
    """The history has the shape of real use."""
    weeks = connection.execute(
        "select count(*) from missions group by ceil(extract(epoch from %s - created_at) / 604800)"
        " order by min(created_at)",
        [NOW],
    ).fetchall()
    weekend = count(
        connection,
        "select avg((extract(isodow from created_at) > 5)::int) from missions",
    )

    assert weeks == sorted(weeks)
    assert len(weeks) == 4
    assert weekend < 0.1


def test_a_completed_mission_has_about_forty_events(connection: Connection) -> None:
    """Fewer would read as a gap in the telemetry."""
    median = count(
        connection,
        "select percentile_cont(0.5) within group (order by events) from ("
        " select count(*) as events from telemetry_events"
        " inner join missions on missions.id = mission_id"
        " where missions.status = 'completed' and event_type <> 'session_heartbeat'"
        " group by mission_id) as counted",
    )

    assert 38 <= median <= 50


def test_every_event_says_where_it_belongs(connection: Connection) -> None:
    """Five keys are in the context of each event."""
    keys = ["mission_id", "tenantId", "stage", "persona", "correlation_id"]
    query = "select count(*) from telemetry_events where not context ?& %(keys)s"

    assert count(connection, query, keys=keys) == 0


@pytest.mark.parametrize("problem", PROBLEMS)
def test_a_healthy_platform_has_no(connection: Connection, problem: str) -> None:
    """A check of a fresh lab passes: what is wrong later was injected."""
    assert count(connection, PROBLEMS[problem], now=NOW) == 0


@pytest.mark.parametrize("share", SHARES)
def test_a_healthy_platform_has_enough(connection: Connection, share: str) -> None:
    """The shares are above the platform's thresholds."""
    healthy, query = SHARES[share]

    assert count(connection, query) >= healthy


@pytest.mark.parametrize("now", OTHER_TIMES)
def test_the_lab_is_healthy_at_any_time_of_the_week(server: str, now: datetime) -> None:
    """A lab that starts on a Sunday night is a lab too."""
    with psycopg.connect(seeded(server, f"at {now:%H}", now=now)) as connection:
        problems = {name: count(connection, query, now=now) for name, query in PROBLEMS.items()}
        shares = {name: count(connection, query) for name, (_, query) in SHARES.items()}

    assert {name for name, found in problems.items() if found} == set()
    assert {name for name, found in shares.items() if found < SHARES[name][0]} == set()


def test_eight_missions_run_right_now(connection: Connection) -> None:
    """Each has begun in the last ten minutes and has one session, which is active."""
    live = connection.execute(
        """
        select
            min(tenant_id::text), min(session.agent_name), min(session.status),
            %(now)s - min(session.last_heartbeat_at), count(*), %(now)s - min(stage.started_at)
        from missions
        inner join mission_sessions as session on session.mission_id = missions.id
        inner join mission_stage_status as stage
            on stage.mission_id = missions.id and stage.stage = 'Execute'
        where missions.status = 'in_progress' and current_stage = 'Execute'
        group by missions.id
        """,
        {"now": NOW},
    ).fetchall()
    tenants, agents, statuses, ages, sessions, begun = zip(*live, strict=True)

    assert len(live) == 8
    assert sorted(map(tenants.count, set(tenants))) == [4, 4]
    assert set(agents) == {"executor", "validator", "evidence", "inspector"}
    assert set(statuses) == {"active"}
    assert {age.total_seconds() for age in ages} == {1.0}
    assert set(sessions) == {1}
    assert all(60 < since.total_seconds() < 600 for since in begun)


def test_a_session_has_the_state_that_its_size_tells(connection: Connection) -> None:
    """The size is that of the JSON without spaces, well below 10 kB."""
    rows = connection.execute("select state, state_size_bytes from mission_sessions").fetchall()

    sizes = {len(json.dumps(state, separators=(",", ":"))) - size for state, size in rows}
    assert sizes == {0}
    assert {len(state) for state, _ in rows} == {24}
    assert max(size for _, size in rows) < 10_000


def test_an_artifact_hash_is_that_of_its_content(connection: Connection) -> None:
    """The content comes back from the database as it was hashed."""
    rows = connection.execute("select metadata -> 'content', hash from mission_artifacts")

    for content, digest in rows:
        text = json.dumps(content, sort_keys=True, separators=(",", ":"))
        assert hashlib.sha256(text.encode()).hexdigest() == digest


def test_a_tenant_sees_its_own_missions_and_library(connection: Connection) -> None:
    """What the other tenant has stays hidden; what is global is seen."""
    own = count(connection, "select id from tenants where slug = 'northwind'")
    missions = count(connection, "select count(*) from missions where tenant_id = %(own)s", own=own)
    entries = count(
        connection,
        "select count(*) from library_entries where tenant_id = %(own)s or tenant_id is null",
        own=own,
    )
    claims = json.dumps({"tenant_id": str(own)})
    connection.execute("select set_config('request.jwt.claims', %s, true)", [claims])
    connection.execute("set local role authenticated")

    assert count(connection, "select count(*) from missions") == missions
    assert count(connection, "select count(distinct tenant_id) from missions") == 1
    assert count(connection, "select count(*) from library_entries") == entries
    assert count(connection, "select count(*) from telemetry_events where mission_id is null") > 50


def test_a_search_finds_plays_of_the_same_topic(connection: Connection) -> None:
    """An entry finds itself first, and then its own kind with a score above 0.75."""
    entries = connection.execute("select id, category from library_entries").fetchall()

    for entry_id, category in entries[::10]:
        found = connection.execute(NEIGHBOURS, [entry_id]).fetchall()
        assert len(found) == 10
        assert {kind for kind, _ in found} == {category}
        assert found[0][1] == pytest.approx(1)


def test_the_views_count_what_is_there(connection: Connection) -> None:
    """The analytics views are refreshed when the rows are written."""
    query = "select sum(missions_created) from adoption_funnel_mv"

    assert count(connection, query) == 258


def test_the_jobs_ran_for_weeks(connection: Connection) -> None:
    """The hourly job has two days of runs, the daily ones four weeks, the weekly one four runs."""
    runs = connection.execute(
        "select jobname, count(*) from cron.job inner join cron.job_run_details using (jobid)"
        " group by jobname"
    ).fetchall()

    assert dict(runs) == {
        "cleanup_telemetry_events": 48,
        "refresh_analytics_views": 28,
        "cleanup_mission_sessions": 28,
        "refresh_library_embeddings": 4,
    }
