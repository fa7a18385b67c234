"""The buffers of the machines, as the agent shows them."""

from collections.abc import Iterator
from typing import Any, Final

from runbook_nb.errors import NoAnswerError
from runbook_nb.packs.control_plane.systems._fly import addressed, agent_machines
from runbook_nb.probes.calls import Systems

BUFFER: Final = "/telemetry/buffer"
SHOWN: Final = ("machine", "writes_allowed", "degraded", "depth", "oldest_at", "dropped")


def buffers(systems: Systems) -> list[dict[str, Any]]:
    """Return what each started machine says of its buffer; raises NoAnswerError for one unheard."""
    started = [one["id"] for one in agent_machines(systems) if one["state"] == "started"]
    if not started:
        message = "No machine of the agent is started, so nobody can say what is held."
        raise NoAnswerError(message)
    found = [_page(systems, machine, after=0) for machine in started]
    return [{name: one.get(name) for name in SHOWN} for one in found]


def held_events(systems: Systems, machine: str) -> Iterator[dict[str, Any]]:
    """Read all events that a machine holds, page by page."""
    after: int | None = 0
    while after is not None:
        page = _page(systems, machine, after=after)
        yield from page["events"]
        after = page["next"]


def _page(systems: Systems, machine: str, *, after: int) -> dict[str, Any]:
    answer = systems.http("agent").request(
        "GET", BUFFER, params={"after": str(after)}, headers=addressed(machine)
    )
    found: dict[str, Any] = answer.raise_for_status().json()
    if found.get("machine") != machine:
        message = (
            f"Machine {machine} was asked for its buffer, and {found.get('machine')} answered."
        )
        raise NoAnswerError(message)
    return found
