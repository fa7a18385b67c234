"""The machines, the releases they ran, and the interface that is live."""

from datetime import UTC, datetime
from typing import Any, Final

from runbook_nb.errors import NoAnswerError
from runbook_nb.packs.control_plane.systems._fly import agent_machines, machines_path
from runbook_nb.packs.control_plane.systems._vercel import deployments, live_deployment
from runbook_nb.probes.calls import Systems

SAME, CANARY, ROLLING_OUT = "same release", "canary", "rolling out"
# The agent follows the UI within one to two minutes a machine.
ROLLING_OUT_S: Final = 600
IN_FLIGHT: Final = """
select id as mission_id, title, updated_at
from missions
where status = 'in_progress'
  and current_stage = 'Execute'
order by updated_at desc
"""


def live_interface(systems: Systems) -> dict[str, str]:
    """Return the release and the deployment that are live; raises NoAnswerError without one."""
    live = live_deployment(systems)
    release = live["meta"].get("release")
    if not release:
        message = "The live deployment of the UI does not say which release it is."
        raise NoAnswerError(message)
    return {"deployment": live["id"], "release": release}


def standing_of(systems: Systems, interface: dict[str, str], machines: list[dict[str, Any]]) -> str:
    """Name how the releases of UI and agent stand to each other; empty where they are no pair."""
    others = [one for one in machines if release_of(one["config"]) != interface["release"]]
    if not others:
        return SAME
    went_live = {one["meta"].get("release"): int(one["created"]) for one in deployments(systems)}
    of_ui = went_live.get(interface["release"], 0)
    apart = {release_of(one["config"]) for one in others}
    paired = [one for one in machines if one not in others]
    if paired and not apart & went_live.keys() and len(others) * 2 <= len(machines):
        oldest = min(number_of(one["config"]) for one in others)
        newer = oldest > max(number_of(one["config"]) for one in paired)
        return CANARY if newer else ""
    follow = all(went_live.get(release, of_ui) < of_ui for release in apart)
    age_s = datetime.now(UTC).timestamp() - of_ui / 1000
    return ROLLING_OUT if follow and 0 <= age_s < ROLLING_OUT_S else ""


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
