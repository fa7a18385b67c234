"""The machines, the releases they ran, and the interface that is live."""

from typing import Any, Final

from runbook_nb.errors import NoAnswerError
from runbook_nb.packs.control_plane.systems._fly import agent_machines, machines_path
from runbook_nb.probes.calls import Systems

IN_FLIGHT: Final = """
select id as mission_id, title, updated_at
from missions
where status = 'in_progress'
  and current_stage = 'Execute'
order by updated_at desc
"""


def live_interface(systems: Systems) -> dict[str, str]:
    """Return the release and the deployment that are live; raises NoAnswerError without one."""
    vercel, project = systems.http("vercel"), systems.setting("vercel", "project")
    found = vercel.get(f"/v9/projects/{project}").raise_for_status().json()
    live = (found.get("targets") or {}).get("production") or {}
    release = live.get("meta", {}).get("release")
    if not release:
        message = "The live deployment of the UI does not say which release it is."
        raise NoAnswerError(message)
    return {"deployment": live["id"], "release": release}


def demand_machines(systems: Systems) -> list[dict[str, Any]]:
    """Return the machines of the agent; raises NoAnswerError where there is none."""
    found = agent_machines(systems)
    if not found:
        message = "The agent has no machine at Fly."
        raise NoAnswerError(message)
    return found


def versions(systems: Systems, machine: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the machine's configurations, the newest first."""
    answer = systems.http("fly").get(f"{machines_path(systems)}/{machine['id']}/versions")
    found: list[dict[str, Any]] = answer.raise_for_status().json()
    return found


def earlier_versions(systems: Systems, machine: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the machine's versions of releases before its own, the newest release first."""
    running = number_of(machine["config"])
    found = [v for v in versions(systems, machine) if number_of(v["user_config"]) < running]
    return sorted(found, key=lambda version: -number_of(version["user_config"]))


def release_of(config: dict[str, Any]) -> str:
    """Return the release that a machine's configuration names."""
    return str(config.get("metadata", {}).get("release", "unnamed"))


def number_of(config: dict[str, Any]) -> int:
    """Return the number that Fly gave the release of a configuration."""
    return int(config.get("metadata", {}).get("fly_release_version", 0))
