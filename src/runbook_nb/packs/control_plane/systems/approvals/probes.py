"""What is read of the requests for approval."""

from runbook_nb.errors import NoAnswerError
from runbook_nb.packs.control_plane.systems.approvals._queries import REPEATED, VANISHED, WAITING
from runbook_nb.probes.calls import Reading, Systems, probe


@probe(unit="requests")
def repeated(systems: Systems) -> Reading:
    """Count open requests for approval beside an older open one of the same play and role."""
    rows = systems.database().rows(REPEATED)
    return Reading(value=len(rows), detail=rows)


@probe(unit="missions")
def vanished(systems: Systems) -> Reading:
    """Count missions that wait in Approve for more than 5 minutes and have no request at all.

    Raises NoAnswerError while no mission waits there.
    """
    if not systems.database().value(WAITING):
        message = "No mission waits in Approve, so no request can be missed."
        raise NoAnswerError(message)
    rows = systems.database().rows(VANISHED)
    return Reading(value=len(rows), detail=rows)
