"""Probes and actions of the heartbeat on the real lab: a rehearsal is true, an undo restores."""

import time

import pytest
from psycopg.types.json import Jsonb

from runbook_nb.errors import NoAnswerError
from runbook_nb.packs.control_plane.lab.faults import FAULTS
from runbook_nb.packs.control_plane.lab.faults.outside import superuser
from runbook_nb.packs.control_plane.lab.monitoring import wait_until_quiet
from runbook_nb.packs.control_plane.systems import agent, edge, heartbeats, sessions, streams
from runbook_nb.text.durations import hours, seconds

pytestmark = pytest.mark.slow

WINDOW = seconds(30)


@pytest.fixture
def fault(lab, request):
    """Inject the fault that the test names, and heal it after."""
    FAULTS[request.param].inject(lab)
    yield FAULTS[request.param]
    FAULTS[request.param].heal(lab)
    assert wait_until_quiet(lab) == []


def until(read, *, wanted, within_s=15):
    """Read until the answer is as wanted; return the last answer."""
    ends = time.monotonic() + within_s
    while (answer := read()) != wanted and time.monotonic() < ends:
        time.sleep(0.1)
    return answer


def test_the_healthy_lab_passes_every_reading(lab, hands):
    """Each within the platform's limits."""
    assert wait_until_quiet(lab) == []
    assert hands.value(agent.health(samples=2)) == "ok"
    assert hands.value(heartbeats.gap()) <= 60
    assert hands.value(heartbeats.lag_p95(window=WINDOW)) <= 5000
    assert hands.value(heartbeats.missed(window=WINDOW)) < 2
    assert hands.value(heartbeats.lag_decimals(window=WINDOW)) == 0
    assert hands.value(streams.framing()) == "event stream"
    assert hands.value(streams.delivered_beats(wanted=2)) == 2
    assert hands.value(sessions.silent(older_than=seconds(90))) == 0
    assert hands.value(streams.stale(older_than=hours(1))) == 0


def test_figures_of_too_few_beats_are_no_answer(lab, hands):
    """One beat's luck is no percentile."""
    with pytest.raises(NoAnswerError, match="20 are needed"):
        hands.read(heartbeats.lag_p95(window=seconds(0.5)))


@pytest.mark.parametrize("fault", ["agent_hung"], indirect=True)
def test_neither_the_proxy_nor_the_browser_hides_a_hung_agent(fault, hands):
    """The stream beats on, and the rows of all beats show no gap; the agent's own do."""
    assert hands.value(streams.delivered_beats(wanted=2)) == 2
    newest = hands.environment.reading([]).database()
    naive = newest.value(
        "select extract(epoch from now() - max(created_at)) from telemetry_events "
        "where event_type = 'session_heartbeat'"
    )
    assert naive < 5
    assert hands.value(heartbeats.gap()) > 90


@pytest.mark.parametrize("fault", ["sessions_silent"], indirect=True)
@pytest.mark.holds("sessions.terminate_silent")
def test_ending_dead_sessions_is_rehearsed_done_and_undone(fault, hands):
    """The rehearsal names the rows that then change, and changes none."""
    action = sessions.terminate_silent(older_than=seconds(90))
    before = hands.value(sessions.silent(older_than=seconds(90)))
    rehearsed = hands.rehearse(action)
    assert hands.value(sessions.silent(older_than=seconds(90))) == before == 5

    done = hands.do(action)
    assert ids(done["sessions terminated"]) == ids(rehearsed["sessions terminated"])
    assert hands.value(sessions.silent(older_than=seconds(90))) == 0
    assert hands.do(action)["sessions terminated"] == []

    hands.undo(action, done)
    assert hands.value(sessions.silent(older_than=seconds(90))) == before


def ids(rows):
    return sorted(str(row["id"]) for row in rows)


@pytest.mark.parametrize("fault", ["edge_buffers"], indirect=True)
@pytest.mark.holds("edge.stop_buffering")
def test_the_edge_stops_buffering_and_can_be_set_back(fault, hands):
    """A browser gets the first event at once, or nothing at all."""
    action = edge.stop_buffering()
    rehearsed = hands.rehearse(action)
    assert [found["handler"]["response_buffers"] for found in rehearsed["would change"]]
    assert hands.value(streams.framing()) == "no bytes"

    done = hands.do(action)
    assert done["changed"] == rehearsed["would change"]
    assert [each.partition("/config")[2] for each in hands.sent] == [
        found["path"].removeprefix("/config") for found in rehearsed["would change"]
    ]
    assert hands.value(streams.framing()) == "event stream"
    assert hands.do(action)["changed"] == []

    hands.undo(action, done)
    assert hands.value(streams.framing()) == "no bytes"


@pytest.mark.parametrize("fault", ["reconnect_storm"], indirect=True)
@pytest.mark.holds("streams.stop_reconnects")
def test_a_storming_session_is_told_to_stop_and_let_in_again(fault, hands):
    """Only the session that storms is named."""
    action = streams.stop_reconnects(above=3, window=WINDOW)
    # Six opens are a storm.
    assert until(lambda: len(hands.rehearse(action)["sessions to stop"]), wanted=1) == 1
    rehearsed = hands.rehearse(action)
    (session,) = rehearsed["sessions to stop"]
    assert hands.value(streams.opens_per_minute(window=WINDOW)) > 3

    done = hands.do(action)
    assert done == {"sessions": [session], "route": rehearsed["would add"]["@id"]}
    assert len(hands.rehearse(action)["sessions to stop"]) == 1
    assert until(lambda: hands.value(streams.opens_per_minute(window=seconds(2))), wanted=0.0) == 0

    assert hands.undo(action, done) == {"removed": done["route"]}
    assert hands.rehearse(action)["routes now"] == rehearsed["routes now"]


@pytest.mark.parametrize("fault", ["lag_decimal"], indirect=True)
@pytest.mark.holds("agent.set_lag_decimals")
def test_lag_is_written_in_whole_milliseconds_again(fault, hands):
    """By the machine's own configuration."""
    action = agent.set_lag_decimals(decimals=0)
    (rehearsed,) = hands.rehearse(action)
    assert rehearsed["HEARTBEAT_LAG_DECIMALS"] == "1"

    done = hands.do(action)
    assert list(done["before"].values()) == [{"HEARTBEAT_LAG_DECIMALS": "1"}]
    assert hands.rehearse(action)[0]["HEARTBEAT_LAG_DECIMALS"] == "0"

    hands.undo(action, done)
    assert hands.rehearse(action)[0]["HEARTBEAT_LAG_DECIMALS"] == "1"


@pytest.mark.holds("agent.scale_out")
def test_the_agent_scales_out_and_back(lab, hands):
    """Machines are added with the first one's configuration, and removed by id."""
    action = agent.scale_out(machines=3)
    assert hands.rehearse(action) == {"machines now": 1, "would add": 2}

    done = hands.do(action)
    assert len(done["added"]) == len(hands.sent) == 2
    assert hands.value(agent.missions_per_machine()) == pytest.approx(8 / 3, abs=0.1)
    assert hands.do(action)["added"] == []

    hands.undo(action, done)
    assert hands.value(agent.missions_per_machine()) == 8
    assert wait_until_quiet(lab) == []


@pytest.mark.parametrize("fault", ["agent_dead"], indirect=True)
@pytest.mark.holds("agent.restart", undo=False)
def test_a_dead_agent_is_started_and_resumes(fault, hands):
    """Its sessions beat within seconds."""
    assert hands.value(agent.health(samples=1)) == "refused"
    (rehearsed,) = hands.rehearse(agent.restart())["would restart"]
    (done,) = hands.do(agent.restart())["machines"]

    assert (done["machine"], done["was"]) == (rehearsed["machine"], rehearsed["state"])
    (sent,) = hands.sent
    assert sent.endswith(f"/machines/{rehearsed['machine']}/start")
    assert hands.value(agent.health(samples=1)) == "ok"
    assert until(lambda: hands.value(heartbeats.gap()) < 5, wanted=True)


# Times the size that the newest beat carries, as a beat may come meanwhile.
_SIZES = """
update telemetry_events t
set context = jsonb_set(context, '{session_state_size_bytes}', to_jsonb(round(
    (context ->> 'session_state_size_bytes')::numeric * (case
        when t.created_at < now() - interval '12 s' then %(before)s
        when t.created_at < now() - interval '6 s' then %(first)s
        else %(last)s end)::numeric)))
where t.mission_id = %(mission)s and t.event_type = 'session_heartbeat'
  and t.created_at > now() - interval '10 minutes'
  and context ? 'session_state_size_bytes'
"""
_BEATING = """
select t.mission_id
from telemetry_events t
join mission_sessions s
  on s.mission_id = t.mission_id and s.agent_name = t.agent_name and s.status = 'active'
join missions m on m.id = t.mission_id and m.status = 'in_progress'
where t.event_type = 'session_heartbeat' and t.created_at > now() - interval '30 s'
group by 1
having min(t.created_at) < now() - interval '20 s' and count(*) >= 6
order by count(*) desc limit 1
"""


@pytest.mark.parametrize(
    ("sizes", "growth"), [((1, 0.01, 1), 1), ((1, 1, 0.01), 1), ((0.2, 0.2, 1), 5)]
)
def test_a_state_that_was_lost_and_put_back_has_not_grown(lab, hands, sizes, growth):
    """It was usually as large before the window began; one that grew was not."""
    with superuser(lab) as connection:

        def beating():
            return connection.execute(_BEATING).fetchone() is not None

        assert until(beating, wanted=True, within_s=90)
        (mission,) = connection.execute(_BEATING).fetchone()
        kept = connection.execute(
            "select id, context from telemetry_events where mission_id = %s", (mission,)
        ).fetchall()
        values = {"mission": mission, **dict(zip(("before", "first", "last"), sizes, strict=True))}
        try:
            assert connection.execute(_SIZES, values).rowcount >= 6
            reading = hands.read(heartbeats.state_growth(window=seconds(12)))
            (found,) = [row for row in reading.detail if str(row["mission_id"]) == str(mission)]
            assert float(found["growth"]) == pytest.approx(growth, rel=0.1), found
        finally:
            for event, context in kept:
                statement = "update telemetry_events set context = %s where id = %s"
                connection.execute(statement, (Jsonb(context), event))
