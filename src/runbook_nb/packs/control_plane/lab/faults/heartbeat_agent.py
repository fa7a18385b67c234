"""Heartbeat faults of the agent: hung, dead, blocked by its own tool calls, badly released."""

import os
import signal
from datetime import datetime, timedelta

from runbook_nb.errors import LabError
from runbook_nb.packs.control_plane.lab.faults.outside import (
    Connection,
    age_beats,
    agent_run,
    agents,
    first_value,
    fly,
    is_halted,
    lasting_id,
    let_silence_pass,
    now_of,
    release,
    restore_agent,
    restore_live_sessions,
    superuser,
    until,
    wait_for_agents_writes,
)
from runbook_nb.packs.control_plane.lab.state import LabState

_SILENCE = timedelta(minutes=3)

_EXPORTS = 40
# 11.2 s each: wherever in the interval of 1 s a call begins, the beats after it are more than
# 10 s late, and a health check that waits 12.5 s is still answered.
_EXPORT_ROWS = 1_120_000
_BURSTS = 2
_BURSTS_WITHIN_S = 60.0
_LATE_MS = 8_000
# The fault stands for one that has lasted a quarter of an hour: what was healthy before it is
# aged out of the checks' window, but for these last beats.
_HEALTHY_BEFORE = timedelta(seconds=2)
_QUARTER = timedelta(minutes=16)
_PLAY = lasting_id("the play of the blocked loop")

_LIVE_MISSION = """
SELECT mission_id FROM mission_sessions
 WHERE state ? 'runner' AND status = 'active' ORDER BY mission_id LIMIT 1
"""
_LEAST_LATE_BEATS = """
SELECT min((SELECT count(*)
              FROM telemetry_events AS event
             WHERE event.mission_id = session.mission_id
               AND event.event_type = 'session_heartbeat'
               AND event.agent_name = session.agent_name
               AND (event.context ->> 'lag_ms')::numeric > %(late_ms)s
               AND event.created_at > %(since)s))
  FROM mission_sessions AS session
 WHERE session.state ? 'runner'
"""
_FORGET_RUN = """
WITH events AS (DELETE FROM telemetry_events WHERE correlation_id = %(play)s::text)
DELETE FROM composio_audit_events WHERE outcome ->> 'play_id' = %(play)s::text
"""

_DECIMAL_BEATS = """
SELECT count(DISTINCT mission_id)
  FROM telemetry_events
 WHERE event_type = 'session_heartbeat'
   AND agent_name IS NOT NULL
   AND context ->> 'lag_ms' LIKE '%%.%%'
   AND created_at > %(since)s
"""
_LIVE_SESSIONS = "SELECT count(*) FROM mission_sessions WHERE state ? 'runner'"


def _signal_agents(lab: LabState, number: signal.Signals) -> None:
    found = agents(lab)
    if not found:
        raise LabError("No agent of the lab runs; heal the lab first.")
    for agent in found:
        os.kill(agent.pid, number)


def hang_agent(lab: LabState) -> None:
    """Halt the agent; its last beats were three minutes ago."""
    _signal_agents(lab, signal.SIGSTOP)
    until(lambda: all(map(is_halted, agents(lab))), within_s=2, otherwise="The agent did not halt")
    with superuser(lab) as connection:
        wait_for_agents_writes(connection)
        let_silence_pass(connection, by=_SILENCE)


def kill_agent(lab: LabState) -> None:
    """Kill the agent; its last beats were three minutes ago."""
    _signal_agents(lab, signal.SIGKILL)
    until(lambda: not agents(lab), within_s=2, otherwise="The agent did not die")
    with superuser(lab) as connection:
        wait_for_agents_writes(connection, gone=True)
        let_silence_pass(connection, by=_SILENCE)


def heal_agent(lab: LabState) -> None:
    """Run the good release on one machine, and all live sessions."""
    restore_live_sessions(lab, anew=restore_agent(lab))


def block_loop(lab: LabState) -> None:
    """Have a run block the loop, until two bursts of late beats were sent (23 s)."""
    step = {"tool": "WAREHOUSE_EXPORT", "arguments": {"rows": _EXPORT_ROWS}}
    with superuser(lab) as connection:
        mission = first_value(connection, _LIVE_MISSION)
        if mission is None:
            raise LabError("No live session is active; heal the lab first.")
        began = now_of(connection)
        body = {"mission_id": str(mission), "play_id": str(_PLAY), "steps": [step] * _EXPORTS}
        agent_run(lab, body)
        until(
            lambda: _late_beats(connection, since=began) >= _BURSTS,
            within_s=_BURSTS_WITHIN_S,
            otherwise="No late beats were sent",
        )
        age_beats(connection, by=_QUARTER, before=began - _HEALTHY_BEFORE)


def _late_beats(connection: Connection, *, since: datetime) -> int:
    """Count the late beats of the session that has fewest."""
    return int(first_value(connection, _LEAST_LATE_BEATS, since=since, late_ms=_LATE_MS))


def heal_loop(lab: LabState) -> None:
    """Restart the agent, which ends the run, and forget what the run wrote."""
    # Between two tool calls the agent answers as if it were well, so it is restarted in any case.
    restore_agent(lab, restart=True)
    with superuser(lab) as connection:
        wait_for_agents_writes(connection)
        connection.execute(_FORGET_RUN, {"play": _PLAY})
    restore_live_sessions(lab, anew=True)


def release_decimals(lab: LabState) -> None:
    """Release a configuration with which the lag is written with a decimal."""
    config = release(lab)
    config["env"] = {**config["env"], "HEARTBEAT_LAG_DECIMALS": "1"}
    with superuser(lab) as connection, fly(lab) as api:
        since = now_of(connection)
        for machine in api.get("/machines").json():
            api.post(f"/machines/{machine['id']}", json={"config": config})
        until(
            lambda: (
                first_value(connection, _DECIMAL_BEATS, since=since)
                == first_value(connection, _LIVE_SESSIONS)
            ),
            within_s=10,
            otherwise="The new release did not beat with decimals",
        )
