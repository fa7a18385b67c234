"""What is read of the events that are stored."""

from datetime import timedelta

from runbook_nb.errors import NoAnswerError
from runbook_nb.packs.control_plane.systems.event_rows._rows import COUNT_BARE, COUNT_COPIES
from runbook_nb.probes.calls import Reading, Systems, probe


@probe(unit="events")
def copies(systems: Systems, *, window: timedelta) -> Reading:
    """Count events that are copies of another one: the same in everything but the id."""
    rows = systems.database().rows(COUNT_COPIES, window=window)
    return Reading(value=sum(row["copies"] for row in rows), detail=rows)


@probe(unit="events")
def bare(systems: Systems, *, window: timedelta) -> Reading:
    """Count events of missions whose context is empty; raises NoAnswerError without any event."""
    rows = systems.database().rows(COUNT_BARE, window=window)
    if not rows:
        message = "No event of a mission was stored in the window."
        raise NoAnswerError(message)
    found = [row for row in rows if row["bare"]]
    return Reading(value=sum(row["bare"] for row in found), detail=found or rows[:5])
