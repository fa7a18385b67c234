"""How the functions become what is committed."""

from runbook_nb.packs.control_plane.systems._database.owner import (
    AS_OWNER,
    demand_few,
    run_statement,
)
from runbook_nb.packs.control_plane.systems.helper_functions._definitions import HELPER_FUNCTIONS
from runbook_nb.probes.calls import Systems, action
from runbook_nb.text.values import Json


@action(timeout_s=30, repeatable=True, contained=True)
def restore(systems: Systems) -> Json:
    """Make the helper functions what is committed, in one transaction; returns what stood there."""
    return _restore(systems, rollback=False)


@restore.rehearsal
def _(systems: Systems) -> Json:
    return _restore(systems, rollback=True)


@restore.undo
def _(systems: Systems, result: Json) -> Json:
    database = systems.database()
    with database.transaction():
        database.rows(AS_OWNER)
        for change in result["functions"]:
            # One that was missing stays: policies name it, and dropping it would break them.
            if change["was"]:
                run_statement(database, change["was"])
    return {"back to what stood there": [change["function"] for change in result["functions"]]}


def _restore(systems: Systems, *, rollback: bool) -> Json:
    database, committed = systems.database(), HELPER_FUNCTIONS.committed(systems)
    with database.transaction(rollback=rollback):
        database.rows(AS_OWNER)
        found = HELPER_FUNCTIONS.differing(systems, committed)
        demand_few(len(found), of=len(committed), what="helper functions")
        for each in found:
            run_statement(database, each.committed)
        left = len(HELPER_FUNCTIONS.differing(systems, committed))
    return {
        "functions": [
            {"function": each.item, "was": each.found, "is": each.committed} for each in found
        ],
        "functions that differ after": left,
    }
