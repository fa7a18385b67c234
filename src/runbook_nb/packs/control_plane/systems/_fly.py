"""The agent's machines at Fly, through the Machines API."""

from collections.abc import Mapping, Sequence
from typing import Any

from runbook_nb.probes.calls import Systems

Settings = dict[str, dict[str, str | None]]


def machines_path(systems: Systems) -> str:
    """Return the path of the machines of the app that the settings name."""
    return f"/v1/apps/{systems.setting('fly', 'app')}/machines"


def agent_machines(systems: Systems) -> list[dict[str, Any]]:
    """Return all machines as Fly lists them."""
    answer = systems.http("fly").get(machines_path(systems))
    found: list[dict[str, Any]] = answer.raise_for_status().json()
    return found


def addressed(machine: str) -> dict[str, str]:
    """Return the header by which Fly's proxy sends a request to one machine."""
    return {"fly-force-instance-id": machine}


def machine_settings(systems: Systems, names: Sequence[str]) -> Settings:
    """Return what each machine has of these variables; None where it has none."""
    return {machine["id"]: _of(machine, names) for machine in agent_machines(systems)}


def configure(
    systems: Systems,
    wanted: Mapping[str, str | None],
    *,
    names: Sequence[str],
    only: str | None = None,
) -> Settings:
    """Set or remove variables on each machine that has others; it restarts.

    Returns what the changed machines had of ``names``.
    """
    fly, before = systems.http("fly"), {}
    for machine in agent_machines(systems):
        was = _of(machine, names)
        if only not in (None, machine["id"]) or _of(machine, [*wanted]) == wanted:
            continue
        before[machine["id"]] = was
        environment = machine["config"].get("env", {})
        kept = {name: value for name, value in environment.items() if name not in wanted}
        set_now = {name: value for name, value in wanted.items() if value is not None}
        config = {**machine["config"], "env": {**kept, **set_now}}
        path = f"{machines_path(systems)}/{machine['id']}"
        fly.request("POST", path, json={"config": config}).raise_for_status()
        fly.get(f"{path}/wait", params={"state": "started", "timeout": "60"}).raise_for_status()
    return before


def _of(machine: dict[str, Any], names: Sequence[str]) -> dict[str, str | None]:
    environment: dict[str, str] = machine["config"].get("env", {})
    return {name: environment.get(name) for name in names}
