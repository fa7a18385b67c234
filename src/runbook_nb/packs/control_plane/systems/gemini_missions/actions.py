"""How the mission that uses up the tokens is parked."""

from datetime import timedelta
from typing import Any, Final

from runbook_nb.errors import NothingDoneError
from runbook_nb.packs.control_plane.systems._parking import park, unpark
from runbook_nb.packs.control_plane.systems.gemini_missions._turns import URGENT, largest_mission
from runbook_nb.probes.calls import Systems, action
from runbook_nb.text.values import Json

KEY: Final = "gemini_parking"
REASON: Final = "This mission uses up the model's tokens; parked by the on-call"
# One mission sends more than all others together.
HALF: Final = 50.0


@action(timeout_s=30, repeatable=True, contained=True)
def park_largest(systems: Systems, *, window: timedelta) -> Json:
    """Park the one mission that sent more than half of the tokens while the minute is tight.

    Google's console is the second sign. Raises NothingDoneError where no minute is tight, no
    mission took more than half, or that mission is urgent or high.
    """
    found = _target(systems, window)
    with systems.database().transaction():
        return _parked(systems, found)


@park_largest.rehearsal
def _(systems: Systems, *, window: timedelta) -> Json:
    found = _target(systems, window)
    with systems.database().transaction(rollback=True):
        return _parked(systems, found)


@park_largest.undo
def _(systems: Systems, result: Json, *, window: timedelta) -> Json:  # noqa: ARG001
    named = [row["mission_id"] for row in result["parked"]]
    with systems.database().transaction():
        return {"at work again": unpark(systems.database(), named, resumed=False, key=KEY)}


def _target(systems: Systems, window: timedelta) -> dict[str, Any]:
    found = largest_mission(systems, window=window)
    if found is None or found["percent"] <= HALF:
        raise NothingDoneError("No mission uses up the tokens any more. Nothing was parked.")
    if found["priority"] in URGENT:
        message = (
            f"{found['title']!r} is {found['priority']}: it may take more than its share. Nothing "
            "was parked. Ask its owner."
        )
        raise NothingDoneError(message)
    return found


def _parked(systems: Systems, found: dict[str, Any]) -> Json:
    rows = park(
        systems.database(),
        [found["mission_id"]],
        attempt=systems.attempt,
        key=KEY,
        reason=REASON,
    )
    if not rows:
        raise NothingDoneError("That mission is not at work in Execute. Nothing was parked.")
    return {"parked": rows, "tokens": found["tokens"], "percent": found["percent"]}
