"""The settings of the agent's pace, machine by machine."""

from collections.abc import Mapping
from typing import Any, Final

from runbook_nb.packs.control_plane.systems._fly import agent_machines, machines_path
from runbook_nb.probes.calls import Systems

PAUSE: Final = "COMPOSIO_PAUSE_S"
ATTEMPTS: Final = "COMPOSIO_ATTEMPTS"

Before = dict[str, dict[str, str | None]]


def paces(systems: Systems) -> Before:
    """Return what each machine has of the two settings; None where it has none."""
    return {machine["id"]: _of(machine) for machine in agent_machines(systems)}


def configure(
    systems: Systems, wanted: Mapping[str, str | None], *, only: str | None = None
) -> Before:
    """Set or remove settings on each machine that has others; return what those had."""
    fly, before = systems.http("fly"), {}
    for machine in agent_machines(systems):
        was = _of(machine)
        if only not in (None, machine["id"]) or {name: was[name] for name in wanted} == wanted:
            continue
        before[machine["id"]] = was
        kept = {name: value for name, value in _environment(machine).items() if name not in wanted}
        set_now = {name: value for name, value in wanted.items() if value is not None}
        config = {**machine["config"], "env": {**kept, **set_now}}
        path = f"{machines_path(systems)}/{machine['id']}"
        fly.request("POST", path, json={"config": config}).raise_for_status()
        fly.get(f"{path}/wait", params={"state": "started", "timeout": "60"}).raise_for_status()
    return before


def _of(machine: dict[str, Any]) -> dict[str, str | None]:
    environment = _environment(machine)
    return {name: environment.get(name) for name in (PAUSE, ATTEMPTS)}


def _environment(machine: dict[str, Any]) -> dict[str, str]:
    found: dict[str, str] = machine["config"].get("env", {})
    return found
