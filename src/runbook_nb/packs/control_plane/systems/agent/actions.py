"""What is changed at the agent's machines."""

from typing import Any, Final

from runbook_nb.packs.control_plane.systems._fly import (
    agent_machines,
    configure,
    machine_settings,
    machines_path,
)
from runbook_nb.probes.calls import Systems, action
from runbook_nb.text.values import Json

ATTEMPT: Final = "runbook_attempt"  # which attempt a machine was added by
LAG_DECIMALS: Final = "HEARTBEAT_LAG_DECIMALS"
IN_FLIGHT: Final = """
select s.mission_id, s.agent_name, s.last_heartbeat_at, m.title
from mission_sessions s
join missions m on m.id = s.mission_id and m.status = 'in_progress'
where s.status = 'active'
order by s.last_heartbeat_at
"""


@action(timeout_s=90, repeatable=True, contained=True)
def restart(systems: Systems) -> Json:
    """Restart every machine of the agent, one after the other, and wait until each is started."""
    fly = systems.http("fly")
    done = []
    for machine in agent_machines(systems):
        verb = "restart" if machine["state"] == "started" else "start"
        path = f"{machines_path(systems)}/{machine['id']}"
        fly.request("POST", f"{path}/{verb}").raise_for_status()
        fly.get(f"{path}/wait", params={"state": "started", "timeout": "60"}).raise_for_status()
        done.append({"machine": machine["id"], "was": machine["state"], "sent": verb})
    return {"machines": done}


@restart.rehearsal
def _(systems: Systems) -> Json:
    return {
        "would restart": [
            {"machine": machine["id"], "state": machine["state"]}
            for machine in agent_machines(systems)
        ],
        "missions that resume from their last checkpoint": systems.database().rows(IN_FLIGHT),
    }


@action(timeout_s=120, contained=True)
def scale_out(systems: Systems, *, machines: int) -> Json:
    """Add machines with the configuration of the first, until there are so many."""
    fly, path = systems.http("fly"), machines_path(systems)
    present = agent_machines(systems)
    added = []
    for _number in range(len(present), machines):
        config = _marked(present[0]["config"], systems.attempt)
        created = fly.request("POST", path, json={"config": config})
        added.append(created.raise_for_status().json()["id"])
        wait = {"state": "started", "timeout": "60"}
        fly.get(f"{path}/{added[-1]}/wait", params=wait).raise_for_status()
    return {"before": len(present), "added": added}


@scale_out.rehearsal
def _(systems: Systems, *, machines: int) -> Json:
    present = agent_machines(systems)
    return {"machines now": len(present), "would add": max(0, machines - len(present))}


@scale_out.undo
def _(systems: Systems, result: Json, *, machines: int) -> Json:  # noqa: ARG001
    for machine in result["added"]:
        path = f"{machines_path(systems)}/{machine}"
        systems.http("fly").request("DELETE", path, params={"force": "true"}).raise_for_status()
    return {"removed": result["added"]}


@scale_out.settling
def _(systems: Systems, attempt: str, *, machines: int) -> bool | None:
    present = agent_machines(systems)
    added = [one for one in present if one["config"].get("metadata", {}).get(ATTEMPT) == attempt]
    if not added:
        return False
    return True if len(present) >= machines else None


@action(timeout_s=90, repeatable=True, contained=True)
def set_lag_decimals(systems: Systems, *, decimals: int) -> Json:
    """Set how many decimals the agent writes in ``lag_ms``; each machine restarts with it."""
    return {"before": configure(systems, {LAG_DECIMALS: str(decimals)}, names=[LAG_DECIMALS])}


@set_lag_decimals.rehearsal
def _(systems: Systems, *, decimals: int) -> Json:
    now = machine_settings(systems, [LAG_DECIMALS])
    return [{"machine": machine, **was, "would become": decimals} for machine, was in now.items()]


@set_lag_decimals.undo
def _(systems: Systems, result: Json, *, decimals: int) -> Json:  # noqa: ARG001
    for machine, before in result["before"].items():
        configure(systems, before, names=[LAG_DECIMALS], only=machine)
    return {"restored": result["before"]}


def _marked(config: dict[str, Any], attempt: str) -> dict[str, Any]:
    """Return a machine's configuration with the attempt that adds it, so that it can be found."""
    known = config.get("metadata", {})
    return {**config, "metadata": {**known, ATTEMPT: attempt}} if attempt else config
