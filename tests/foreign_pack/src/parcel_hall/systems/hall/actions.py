"""What the panel of the hall can change: a chute is opened, and closed again."""

from typing import Any

from runbook_nb import ActionError, Systems, action


# Opening an open chute changes nothing, so it may be sent again after it was cut off.
@action(repeatable=True, contained=True)
def open_chutes(systems: Systems) -> dict[str, Any]:
    """Open every chute that is closed, and read back from the panel that it is."""
    closed = _closed(systems)
    for name in closed:
        _set(systems, name, is_open=True)
    if still := sorted(set(closed) & set(_closed(systems))):
        message = f"The panel took the order, and these chutes are closed: {', '.join(still)}."
        raise ActionError(message)
    return {"opened": closed}


@open_chutes.rehearsal
def _(systems: Systems) -> dict[str, Any]:
    return {"would open": _closed(systems)}


@open_chutes.undo
def _(systems: Systems, result: dict[str, Any]) -> dict[str, Any]:
    for name in result["opened"]:
        _set(systems, name, is_open=False)
    return {"closed again": result["opened"]}


@open_chutes.settling
def _(systems: Systems, attempt: str) -> bool | None:
    # A closed chute may have been closed since, so only the open ones say something.
    return True if not _closed(systems) else None


def _closed(systems: Systems) -> list[str]:
    chutes = systems.http("hall").get("/chutes").raise_for_status().json()
    return [chute["name"] for chute in chutes if not chute["open"]]


def _set(systems: Systems, name: str, *, is_open: bool) -> None:
    answer = systems.http("hall").request("PUT", f"/chutes/{name}", json={"open": is_open})
    answer.raise_for_status()
