"""What is read of the plans by which missions can be taken back."""

from runbook_nb.errors import NoAnswerError
from runbook_nb.packs.control_plane.systems.undo_plans._queries import AT_WORK, NO_WAY_BACK
from runbook_nb.probes.calls import Reading, Systems, probe


@probe(unit="missions")
def no_way_back(systems: Systems) -> Reading:
    """Count missions at Approve or Execute whose chosen play has no plan that can run.

    A mission without an approved connection changes nothing; one whose approval accepts that there
    is no way back is not counted either. Raises NoAnswerError when no mission is there to look at.
    """
    at_work = systems.database().value(AT_WORK)
    if not at_work:
        message = "No mission is at Approve or Execute, so there is no plan to look at."
        raise NoAnswerError(message)
    rows = systems.database().rows(NO_WAY_BACK)
    return Reading(value=len(rows), detail={"missions at work": at_work, "without": rows})
