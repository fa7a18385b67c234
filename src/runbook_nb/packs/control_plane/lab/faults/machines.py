"""Three machines of the agent: one of them halted, lost, or of another release."""

import os
import signal
from datetime import timedelta
from typing import Any, Final

from runbook_nb.packs.control_plane.lab.faults.outside import (
    Connection,
    agents,
    first_value,
    fly,
    is_halted,
    now_of,
    release,
    restore_agent,
    restore_live_sessions,
    superuser,
    until,
)
from runbook_nb.packs.control_plane.lab.release import COMMIT, labelled
from runbook_nb.packs.control_plane.lab.state import LabState

_SHARED: Final = """
select count(*) = 3 and min(sessions) >= 2 and bool_and(beating)
  from (select count(*) as sessions,
               bool_and(last_heartbeat_at > now() - interval '3 seconds') as beating
          from mission_sessions where status = 'active' and state ? 'runner'
         group by split_part(state ->> 'runner', ':', 1)) as machine
"""
_BEATEN: Final = """
select bool_and(last_heartbeat_at > %(since)s) from mission_sessions
 where status = 'active' and state ? 'runner'
"""
_SILENT: Final = """
with silent as (
    update mission_sessions
       set last_heartbeat_at = last_heartbeat_at - %(by)s, updated_at = updated_at - %(by)s
     where state ->> 'runner' like %(machine)s || ':%%'
    returning mission_id, agent_name
)
update telemetry_events as event set created_at = created_at - %(by)s
  from silent
 where event.mission_id = silent.mission_id and event.agent_name = silent.agent_name
   and event_type in ('session_heartbeat', 'error_recovery_triggered')
   and created_at > now() - interval '20 minutes'
"""
_BEATS: Final = """
select count(*) from telemetry_events
 where event_type = 'session_heartbeat' and agent_name is not null and created_at > %(since)s
"""
# Enough for a percentile, as after some minutes on the platform.
_SEEN_BEATS: Final = 40
_DECIMALS: Final = """
select count(*) > 0 from telemetry_events
 where event_type = 'session_heartbeat' and agent_name is not null
   and context ->> 'lag_ms' like '%%.%%' and created_at > %(since)s
"""
_MACHINES: Final = 3
_SILENCE: Final = timedelta(minutes=3)


def scale_to_three(lab: LabState) -> list[dict[str, Any]]:
    """Run three machines of the good release; return them once they share the sessions."""
    with superuser(lab) as connection, fly(lab) as api:
        while len(api.get("/machines").json()) < _MACHINES:
            api.post("/machines", json={"config": release(lab)})
        until(
            lambda: bool(first_value(connection, _SHARED)),
            within_s=15,
            otherwise="Three machines did not share the sessions",
        )
        machines: list[dict[str, Any]] = api.get("/machines").json()
    return machines


def halt_one_of_three(lab: LabState) -> None:
    """Halt the last of three machines; its sessions have been silent for three minutes."""
    machine = scale_to_three(lab)[-1]
    process = next(agent for agent in agents(lab) if _runs(lab, machine["id"], agent.pid))
    os.kill(process.pid, signal.SIGSTOP)
    until(lambda: is_halted(process), within_s=2, otherwise="The machine did not halt")
    with superuser(lab) as connection, connection.transaction():
        connection.execute("set local session_replication_role = replica")
        connection.execute(_SILENT, {"by": _SILENCE, "machine": machine["id"]})


def lose_one_of_three(lab: LabState) -> None:
    """Kill the last of three machines; the two others take its sessions over."""
    machine = scale_to_three(lab)[-1]
    process = next(agent for agent in agents(lab) if _runs(lab, machine["id"], agent.pid))
    os.kill(process.pid, signal.SIGKILL)
    with superuser(lab) as connection:
        _await_beats(connection)


def release_to_one_of_three(lab: LabState) -> None:
    """Run the release that writes the lag with decimals on the last of three machines."""
    machine = scale_to_three(lab)[-1]
    config = release(lab)
    config["env"] = {**config["env"], "HEARTBEAT_LAG_DECIMALS": "1"}
    with superuser(lab) as connection, fly(lab) as api:
        since = now_of(connection)
        api.post(f"/machines/{machine['id']}", json={"config": config})
        until(
            lambda: bool(first_value(connection, _DECIMALS, since=since)),
            within_s=8,
            otherwise="The new release did not beat with decimals",
        )
        _await_beats(connection)


def canary_on_one_of_three(lab: LabState, *, name: str) -> None:
    """Run a new release, as good as the last, on the last of three machines."""
    machine = scale_to_three(lab)[-1]
    config = {**release(lab), **labelled(name, COMMIT)}
    with superuser(lab) as connection, fly(lab) as api:
        api.post(f"/machines/{machine['id']}", json={"config": config})
        _await_beats(connection)


def restart_all(lab: LabState) -> None:
    """Restart every machine as a deploy does; return when sessions have beaten for a while."""
    with superuser(lab) as connection, fly(lab) as api:
        for machine in api.get("/machines").json():
            api.post(f"/machines/{machine['id']}/restart")
        since = now_of(connection)
        until(
            lambda: first_value(connection, _BEATS, since=since) >= _SEEN_BEATS,
            within_s=10,
            otherwise="The sessions did not beat after the restart",
        )


def heal_machines(lab: LabState) -> None:
    """Run one machine with the good release, and all live sessions."""
    for agent in agents(lab):
        if is_halted(agent):
            os.kill(agent.pid, signal.SIGCONT)
    restore_live_sessions(lab, anew=restore_agent(lab))


def _await_beats(connection: Connection) -> None:
    since = now_of(connection)
    until(
        lambda: bool(first_value(connection, _BEATEN, since=since)),
        within_s=8,
        otherwise="Not all sessions beat",
    )


def _runs(lab: LabState, machine: str, pid: int) -> bool:
    """Tell whether a machine's process has this id."""
    return f'"pid": {pid},' in (lab.folder / "agents" / f"{machine}.json").read_text("utf-8")
