"""The agent beats for each session it runs, and its tool calls block its loop."""

import itertools
import json
import os
import signal
import subprocess
import sys
from datetime import timedelta
from uuid import uuid4

import httpx
import pytest

from runbook_nb.packs.control_plane.lab.agent_machine import lasting_port
from runbook_nb.packs.control_plane.lab.emulators.composio import PROVIDER
from runbook_nb.packs.control_plane.lab.inspection import is_healthy
from runbook_nb.packs.control_plane.lab.outage import PATH as OUTAGE
from runbook_nb.timeline.store.embedded.processes import identify, wait_until

pytestmark = [pytest.mark.lab, pytest.mark.slow]

TOKEN = {"authorization": "Bearer long-enough"}


def run(view, *, mission, steps):
    """Ask the agent for a run and return all that it streamed."""
    body = {"mission_id": mission, "play_id": str(uuid4()), "steps": steps}
    answer = httpx.post(
        view.url("agent") + "/execution/run", json=body, headers=TOKEN, timeout=30, trust_env=False
    )
    return [json.loads(line) for line in answer.text.splitlines()]


def late_beats(beats):
    return [beat for beat in beats if beat["lag_ms"] > 500]


def test_every_live_session_beats_once_a_second(view):
    """The schedule is fixed: between two beats there is a second, give or take."""
    since = view.now()
    assert view.eventually(lambda: len(view.beats(since)) >= 3 * 8)

    of_one = [b["created_at"] for b in view.beats(since) if str(b["mission_id"]) == view.mission()]
    gaps = [(b - a).total_seconds() for a, b in itertools.pairwise(of_one)]
    assert gaps == pytest.approx([1.0] * len(gaps), abs=0.3)


def test_a_beat_says_whose_it_is_and_how_late(view):
    """The context carries what the platform's events carry; the lag is whole milliseconds."""
    since = view.now() - timedelta(seconds=3)
    assert view.eventually(lambda: bool(view.beats(since)))
    beat = view.beats(since)[-1]["context"]

    assert beat.keys() == {
        *("mission_id", "tenantId", "stage", "persona", "correlation_id", "agent_name"),
        *("lag_ms", "token_usage", "session_state_size_bytes"),
    }
    assert isinstance(beat["lag_ms"], int)


def test_the_session_row_follows_the_beat(view):
    """What the last beat said stands in mission_sessions as well."""
    silent = view.rows(
        "SELECT id FROM mission_sessions "
        "WHERE status = 'active' AND last_heartbeat_at < clock_timestamp() - interval '3 seconds'"
    )
    assert silent == []


def test_a_restart_resumes_every_session(view):
    """Sessions are active again, and each says that it was recovered."""
    since = view.now()
    assert view.fly.post(f"/machines/{view.machines()[0]['id']}/restart").json() == {"ok": True}
    answered = view.now()
    assert view.eventually(lambda: view.beating(answered) == 8)

    recovered = view.rows(
        "SELECT context ->> 'recovery_action' AS action FROM telemetry_events "
        "WHERE event_type = 'error_recovery_triggered' AND created_at > %(since)s",
        since=since,
    )
    assert [row["action"] for row in recovered] == ["resume_from_checkpoint"] * 8


def test_a_terminated_session_is_heard_no_more(view):
    """A beat is written only while the session is active; then it goes on."""
    mission = view.mission()
    change = "UPDATE mission_sessions SET status = %(now)s WHERE mission_id = %(mission)s"
    view.execute(change + " AND status = 'active'", now="terminated", mission=mission)
    since = view.now()
    try:
        assert view.eventually(lambda: view.beating(since) == 7)
        assert not view.eventually(lambda: view.beating(since) == 8, within_s=1.2)
        assert mission not in {str(beat["mission_id"]) for beat in view.beats(since)}
    finally:
        view.execute(change + " AND state ? 'runner'", now="active", mission=mission)
    assert view.all_beat()


def test_a_run_needs_a_token(view):
    """Any bearer of ten characters will do, as on the platform; a shorter one will not."""
    refused = httpx.post(
        view.url("agent") + "/execution/run",
        json={},
        headers={"authorization": "Bearer short"},
        trust_env=False,
    )
    assert refused.status_code == 401


def test_a_run_streams_its_steps_as_json_lines(view):
    """One object a line: begun, each step, complete."""
    said = run(view, mission=view.mission(), steps=[{"tool": "SLACK_SEND_MESSAGE"}])

    assert [record["type"] for record in said] == [
        *("execution_started", "execution_step_completed", "execution_complete"),
    ]
    assert said[1]["status"] == "success"


WAITING = """
SELECT action ->> 'action_id' AS action_id, action ->> 'error_code' AS error_code,
       (action ->> 'answer_lost')::boolean AS answer_lost
  FROM mission_sessions, jsonb_array_elements(state -> 'waiting_actions') AS action
 WHERE mission_id = %(mission)s
"""


def test_a_circuit_opens_after_three_failures_and_what_is_left_waits(view):
    """Nothing is lost, and each call keeps its id until it was made."""
    composio, mission = view.url("composio"), view.mission()
    steps = [{"tool": "GITHUB_CREATE_COMMENT", "action_id": name} for name in "abcde"]
    httpx.post(composio + OUTAGE, json={"path": "/api", "status": 503, "times": 1}, trust_env=False)
    httpx.post(composio + OUTAGE, json={"path": "/api", "lost": True}, trust_env=False)
    paused = run(view, mission=mission, steps=steps)
    httpx.delete(composio + OUTAGE, trust_env=False)
    waiting = view.rows(WAITING, mission=mission)
    resumed = run(view, mission=mission, steps=steps)

    assert [record["type"] for record in paused][-2:] == [
        *("execution_step_completed", "execution_paused"),
    ]
    assert [tuple(row.values()) for row in waiting] == [
        ("a", "HTTP_503", False),
        ("b", "IncompleteRead", True),
        ("c", "IncompleteRead", True),
        ("d", None, False),
        ("e", None, False),
    ]
    assert resumed[-1]["type"] == "execution_complete"
    assert view.rows(WAITING, mission=mission) == []
    view.execute("UPDATE mission_sessions SET state = state - 'waiting_actions'")


def test_a_throttled_call_says_by_whom(view):
    """Composio's limit comes as HTTP 429, a provider's inside HTTP 200; both say how long."""
    composio, mission = view.url("composio"), view.mission()
    httpx.post(
        composio + OUTAGE, json={"path": "/api", "limited": True, "times": 1}, trust_env=False
    )
    held = {"throttles": [{"toolkit": "github", "wait_s": 12}]}
    httpx.post(composio + PROVIDER, json=held, trust_env=False)
    since = view.now()
    run(view, mission=mission, steps=[{"tool": "GITHUB_LIST_ISSUES"}] * 2)
    httpx.delete(composio + PROVIDER, trust_env=False)
    httpx.delete(composio + OUTAGE, trust_env=False)
    said = view.rows(
        "SELECT status, error_code, outcome FROM composio_audit_events "
        "WHERE occurred_at > %(since)s ORDER BY occurred_at",
        since=since,
    )

    assert {(row["status"], row["error_code"]) for row in said} == {("rate_limit", "RATE_LIMIT")}
    told = [(row["outcome"]["http_status"], row["outcome"]["retry_after_seconds"]) for row in said]
    assert told == [(429, 30), (200, 12)]
    view.execute("UPDATE mission_sessions SET state = state - 'waiting_actions'")


def test_a_long_tool_call_delays_sessions_by_one_beat(view):
    """The call blocks the loop; what was missed is not made up, and the schedule goes on."""
    since = view.now()
    steps = [{"tool": "WAREHOUSE_EXPORT", "arguments": {"rows": 150_000}}]
    run(view, mission=view.mission(), steps=steps)
    assert view.all_beat()

    late = late_beats(view.beats(since))
    # Who had just beaten when the call began may be in time again.
    named = [str(beat["mission_id"]) for beat in late]
    assert named
    assert len(set(named)) == len(named)
    assert all(500 < beat["lag_ms"] < 1700 for beat in late)


def test_a_blocked_loop_answers_no_health_check(view):
    """The check is served by the loop that beats, so it shows when that is stuck."""
    body = {
        "mission_id": view.mission(),
        "play_id": str(uuid4()),
        "steps": [{"tool": "WAREHOUSE_EXPORT", "arguments": {"rows": 150_000}}],
    }
    url = view.url("agent")
    with httpx.stream("POST", url + "/execution/run", json=body, headers=TOKEN, timeout=10) as said:
        assert b"execution_started" in next(said.iter_raw())

        def hangs():
            try:
                httpx.get(url + "/health", timeout=0.5, trust_env=False)
            except httpx.ReadTimeout:
                return True
            return False

        assert view.eventually(hangs)
    assert view.all_beat()


def test_two_machines_share_the_sessions(view):
    """Each takes half, and the second gives its half back when it goes."""
    config = view.machines()[0]["config"]
    second = view.fly.post("/machines", json={"config": config}).json()["id"]
    assert view.eventually(lambda: runs(view, second) == 4)
    assert view.all_beat()

    view.fly.post(f"/machines/{second}/stop")
    assert runs(view, second) == 0
    assert view.all_beat()
    view.fly.delete(f"/machines/{second}")


def test_the_sessions_of_a_killed_machine_are_taken_over(view):
    """Its claims go with its connection, and the other machine recovers what it ran."""
    config = view.machines()[0]["config"]
    second = view.fly.post("/machines", json={"config": config}).json()["id"]
    assert view.eventually(lambda: runs(view, second) == 4)
    since = view.now()
    view.signal_agent(signal.SIGKILL, second)

    assert view.eventually(lambda: runs(view, second) == 0)
    view.fly.delete(f"/machines/{second}")
    assert view.all_beat()
    recovered = view.rows(
        "SELECT id FROM telemetry_events "
        "WHERE event_type = 'error_recovery_triggered' AND created_at > %(since)s",
        since=since,
    )
    assert len(recovered) == 4


def test_the_lab_comes_back_after_the_database_was_away(view):
    """The agent beats again; it and the ui say in one line each that the database went and came."""
    view.restart_database()

    assert view.all_beat()
    logs = (f"agent-{view.machines()[0]['id']}.log", "services.log")
    for log in logs:
        assert view.eventually(lambda log=log: "is back" in said_of_database(view, log))
        assert said_of_database(view, log) == ["is away", "is back"]


PARENT = """
import subprocess, sys
agent = subprocess.Popen([sys.executable, "-m", "runbook_nb.packs.control_plane.lab.agent"])
print(agent.pid, flush=True)
agent.wait()
"""


def test_an_agent_ends_with_the_process_that_started_it():
    """Even one that is halted: no agent is left over when the services are killed."""
    settings = {
        "PORT": str(lasting_port()),
        "DATABASE_DSN": "postgresql://nobody@127.0.0.1:1/none",
        "COMPOSIO_URL": "http://127.0.0.1:1",
        "COMPOSIO_TOKEN": "none",
        "FLY_MACHINE_ID": "0123456789abcd",
    }
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT], stdout=subprocess.PIPE, env={**os.environ, **settings}
    )
    agent = int(parent.stdout.readline())
    assert wait_until(lambda: is_healthy(int(settings["PORT"])), within_s=30)
    os.kill(agent, signal.SIGSTOP)
    parent.kill()
    parent.communicate()

    assert wait_until(lambda: identify(agent) is None, within_s=2)


def said_of_database(view, log):
    """Return what a log says of the database, without the scheduled jobs' own lines."""
    words = ("is away", "is back")
    lines = (view.state.folder / log).read_text().splitlines()
    return [word for line in lines for word in words if f"The database {word}" in line]


def runs(view, machine):
    """Count the sessions that a machine runs."""
    return view.rows(
        "SELECT count(*) AS sessions FROM mission_sessions "
        "WHERE status = 'active' AND state ->> 'runner' LIKE %(runner)s",
        runner=f"{machine}:%",
    )[0]["sessions"]
