"""Which missions are to be parked, each choice with a second sign that they should be."""

from datetime import timedelta
from typing import Any, Final

from runbook_nb.errors import NoAnswerError, NothingDoneError
from runbook_nb.packs.control_plane.systems._crowding import busiest
from runbook_nb.packs.control_plane.systems._limits import throttled
from runbook_nb.packs.control_plane.systems._parking import running
from runbook_nb.packs.control_plane.systems._partner_calls import Pair, began_at, pairs, since
from runbook_nb.probes.calls import Systems

# A success so young says that Composio serves missions, whatever it answers us.
YOUNG: Final = timedelta(minutes=2)
# No mission takes more than half while others wait, unless it is urgent.
HALF: Final = 50.0
URGENT: Final = frozenset({"urgent", "high"})


def all_at_work(systems: Systems, window: timedelta) -> list[dict[str, Any]]:
    """Return the missions to park; their own calls since it began are the second sign."""
    if working := _working_pairs(systems, window):
        names = ", ".join(sorted({pair.toolkit for pair in working}))
        message = (
            f"Missions call Composio well at this moment ({names}): it answers them and not us. "
            "Nothing was parked. Look for the trouble on the way from here."
        )
        raise NothingDoneError(message)
    return _demand(running(systems.database()))


def _working_pairs(systems: Systems, window: timedelta) -> list[Pair]:
    """Return the pairs whose newest call worked since it began, if those are most of them."""
    try:
        found = pairs(systems, window=window)
    except NoAnswerError:
        return []  # No mission calls Composio, so none calls it well.
    young = systems.database().value("select now()") - YOUNG
    began = began_at(pair for pair in found if pair.failing)
    called = since(found, max(began, young) if began else young)
    working = [pair for pair in called if pair.calls[0]["status"] == "success"]
    return working if 2 * len(working) > len(called) else []


def users_of_failing(systems: Systems, window: timedelta) -> list[dict[str, Any]]:
    failing = {
        (pair.tenant_id, pair.toolkit) for pair in pairs(systems, window=window) if pair.failing
    }
    if not failing:
        message = "No tenant's calls to a toolkit fail any more. Nothing was parked."
        raise NothingDoneError(message)
    return _demand(_using(systems, failing))


def users_of_throttled(systems: Systems, window: timedelta) -> list[dict[str, Any]]:
    held = {(pair.tenant_id, pair.toolkit) for pair in throttled(systems, window=window)[0]}
    if not held:
        message = "No provider refuses an account any more. Nothing was parked."
        raise NothingDoneError(message)
    return _demand(_using(systems, held))


def crowding(systems: Systems, window: timedelta) -> list[dict[str, Any]]:
    found = busiest(systems, window=window)
    if found is None or found["percent"] <= HALF:
        message = "No mission crowds the others any more. Nothing was parked."
        raise NothingDoneError(message)
    if found["priority"] in URGENT:
        message = (
            f"{found['title']!r} is {found['priority']}: it may take more than its share. Nothing "
            "was parked. Park others by hand, or ask its owner."
        )
        raise NothingDoneError(message)
    rows = running(systems.database())
    return _demand([row for row in rows if row["mission_id"] == found["mission_id"]])


def _using(systems: Systems, held: set[tuple[str, str]]) -> list[dict[str, Any]]:
    return [
        row
        for row in running(systems.database())
        if held & {(row["tenant_id"], toolkit) for toolkit in row["toolkits"]}
    ]


def _demand(missions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    if not missions:
        message = "No mission that needs it is at work in Execute. Nothing was parked."
        raise NothingDoneError(message)
    return missions
