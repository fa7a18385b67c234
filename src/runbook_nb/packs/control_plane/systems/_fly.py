"""The agent's machines at Fly, through the Machines API."""

from typing import Any

from runbook_nb.probes.calls import Systems


def machines_path(systems: Systems) -> str:
    """Return the path of the machines of the app that the settings name."""
    return f"/v1/apps/{systems.setting('fly', 'app')}/machines"


def agent_machines(systems: Systems) -> list[dict[str, Any]]:
    """Return all machines as Fly lists them."""
    answer = systems.http("fly").get(machines_path(systems))
    found: list[dict[str, Any]] = answer.raise_for_status().json()
    return found
