"""Each fault is really there after inject, and really gone after heal."""

import json
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from statistics import median

import httpx
import pytest

from runbook_nb.errors import LabError
from runbook_nb.packs.control_plane.lab.faults import FAULTS, by_name
from runbook_nb.timeline.store.embedded.processes import identify, wait_until

pytestmark = [pytest.mark.lab, pytest.mark.slow]

SILENT = """
SELECT count(*) AS sessions
  FROM mission_sessions
 WHERE status = 'active' AND last_heartbeat_at < clock_timestamp() - interval '90 seconds'
"""
EVERYTHING = """
SELECT (SELECT count(*) FROM mission_sessions) AS sessions,
       (SELECT count(*) FROM workspace_stream_sessions
         WHERE session_id ^@ 'tab-') AS streams,
       (SELECT count(*) FROM composio_audit_events) AS tool_calls,
       (SELECT count(*) FROM missions) AS missions
"""
PROXY = "/config/apps/http/servers/srv0/routes/0/handle/0"


def silent(view):
    return view.rows(SILENT)[0]["sessions"]


def gap_s(view):
    """Return how long ago the newest beat of any agent was, in seconds."""
    newest = view.beats(view.now() - timedelta(minutes=15))[-1]
    return (view.now() - newest["created_at"]).total_seconds()


@pytest.fixture
def injected(view, request):
    """Inject a fault; heal it, whatever the test did; then the lab is as it was."""
    fault = FAULTS[request.param]
    before = view.rows(EVERYTHING)
    fault.inject(view.state)
    yield fault
    fault.heal(view.state)
    assert view.all_beat()
    assert view.rows(EVERYTHING) == before
    assert [machine["state"] for machine in view.machines()] == ["started"]
    assert silent(view) == 0


def fault(name):
    return pytest.mark.parametrize("injected", [name], indirect=True)


@fault("agent_hung")
def test_a_hung_agent_is_silent_for_three_minutes(view, injected):
    """Its process is halted, its connection open, its machine started, as far as Fly knows."""
    status = Path(f"/proc/{view.agent_pid()}/stat").read_text()

    assert status.rpartition(")")[2].split()[0] == "T"
    assert view.machines()[0]["state"] == "started"
    assert silent(view) == 8
    assert gap_s(view) > 170


@fault("agent_dead")
def test_a_dead_agent_is_silent_for_three_minutes(view, injected):
    """Nobody listens on its port, while the proxy's rows go on."""
    with pytest.raises(httpx.ConnectError):
        httpx.get(view.url("agent") + "/health", trust_env=False)
    assert silent(view) == 8
    assert gap_s(view) > 170
    newest = view.rows(
        "SELECT clock_timestamp() - max(created_at) AS age FROM telemetry_events "
        "WHERE event_type = 'session_heartbeat'"
    )
    assert newest[0]["age"] < timedelta(seconds=3)


@fault("loop_blocked")
def test_a_blocked_loop_makes_p95_exceed_eight_seconds(view, injected):
    """Within a quarter of an hour there are twenty beats and more, most of them late."""
    p95 = view.rows(
        "SELECT percentile_cont(0.95) WITHIN GROUP (ORDER BY (context ->> 'lag_ms')::numeric) "
        "AS lag_ms, count(*) AS beats FROM telemetry_events "
        "WHERE event_type = 'session_heartbeat' AND agent_name IS NOT NULL "
        "AND created_at > clock_timestamp() - interval '15 minutes'"
    )[0]
    assert p95["beats"] >= 20
    assert p95["lag_ms"] > 8000
    assert silent(view) == 0


@fault("edge_buffers")
def test_a_buffering_edge_brings_no_stream(view, injected):
    """At the ui the same stream begins at once."""
    with view.stream("ui") as answer:
        assert next(answer.iter_raw())
    assert httpx.get(view.url("edge_admin") + PROXY, trust_env=False).json()["response_buffers"]


@fault("sessions_silent")
def test_silent_sessions_are_of_ended_missions(view, injected):
    """Five of them, with streams that have been open for more than an hour."""
    ended = view.rows(
        "SELECT count(*) AS sessions FROM mission_sessions AS session "
        "JOIN missions AS mission ON mission.id = session.mission_id "
        "JOIN workspace_stream_sessions AS stream ON stream.mission_id = mission.id "
        "WHERE session.status = 'active' AND mission.status IN ('completed', 'archived') "
        "AND stream.disconnected_at IS NULL "
        "AND stream.connected_at < clock_timestamp() - interval '1 hour'"
    )
    assert ended[0]["sessions"] == silent(view) == 5


@fault("reconnect_storm")
def test_a_storm_is_five_connections_a_second(view, injected):
    """All of one session_id, and the tab stops when the edge says 204."""
    tab = json.loads(next((view.state.folder / "tabs").glob("*.json")).read_text())
    assert view.eventually(lambda: len(view.streams_of(tab["session"])) >= 6)
    connected = sorted(row["connected_at"] for row in view.streams_of(tab["session"]))
    pauses = [later - sooner for sooner, later in pairwise(connected)]
    assert timedelta(seconds=0.15) < median(pauses)
    assert min(pauses) < timedelta(seconds=1)

    stop = {
        "match": [{"query": {"session_id": [tab["session"]]}}],
        "handle": [{"handler": "static_response", "status_code": 204}],
    }
    routes = view.url("edge_admin") + "/config/apps/http/servers/srv0/routes/0"
    httpx.put(routes, json=stop, trust_env=False)
    assert wait_until(lambda: identify(tab["pid"]) is None, within_s=3)


@fault("lag_decimal")
def test_a_decimal_lag_is_dropped_by_the_dashboard(view, injected):
    """Its pattern takes whole numbers only."""
    newest = view.beats(view.now() - timedelta(seconds=5))[-1]
    assert isinstance(newest["context"]["lag_ms"], float)


def test_healing_a_healthy_lab_changes_nothing(view):
    """Heal may be called again, or when nothing was injected."""
    before = view.rows(EVERYTHING)
    for name in ("reconnect_storm", "sessions_silent"):
        FAULTS[name].heal(view.state)
    assert view.rows(EVERYTHING) == before


def test_heal_undoes_what_a_responder_did(view):
    """Live sessions marked terminated, a second machine, a machine that is gone."""
    view.execute("UPDATE mission_sessions SET status = 'terminated' WHERE state ? 'runner'")
    config = view.machines()[0]["config"]
    view.fly.post("/machines", json={"config": config})
    view.fly.delete(f"/machines/{view.machines()[0]['id']}", params={"force": "true"})

    since = view.now()
    FAULTS["agent_dead"].heal(view.state)
    assert view.beating(since) == 8
    assert httpx.get(view.url("agent") + "/health", trust_env=False).json() == {"status": "ok"}
    assert len(view.machines()) == 1


def test_two_faults_of_one_name_are_refused():
    """A drill that names it could mean either."""
    one = next(iter(FAULTS.values()))
    with pytest.raises(LabError, match=one.name):
        by_name([one, one])
