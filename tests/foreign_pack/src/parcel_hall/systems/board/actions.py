"""What is put on the notice board."""

from typing import Any

from runbook_nb import Systems, action


@action(tells="#hall-floor")
def closed(systems: Systems, *, incident: str, text: str) -> dict[str, Any]:
    """Say on the board that an incident is over."""
    notice = {"about": incident, "text": text}
    systems.http("board").request("POST", "/notices", json=notice).raise_for_status()
    return notice
