"""How the functions become what is committed."""

from runbook_nb.packs.control_plane.systems._database.owner import (
    AS_OWNER,
    demand_few,
    run_statement,
)
from runbook_nb.packs.control_plane.systems.helper_functions._definitions import (
    EXPECTED,
    differing,
)
from runbook_nb.probes.calls import Systems, action
from runbook_nb.probes.connections import Database
from runbook_nb.text.values import Json


@action(timeout_s=30, repeatable=True, contained=True)
def restore(systems: Systems) -> Json:
    """Make the helper functions what is committed, in one transaction; returns what stood there."""
    return _restore(systems.database(), rollback=False)


@restore.rehearsal
def _(systems: Systems) -> Json:
    return _restore(systems.database(), rollback=True)


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


def _restore(database: Database, *, rollback: bool) -> Json:
    with database.transaction(rollback=rollback):
        database.rows(AS_OWNER)
        pairs = differing(database)
        demand_few(len(pairs), of=len(EXPECTED["functions"]), what="helper functions")
        for _found, definition in pairs:
            run_statement(database, definition)
        left = len(differing(database))
    return {
        "functions": [
            {"function": found["name"], "was": found["definition"], "is": definition}
            for found, definition in pairs
        ],
        "functions that differ after": left,
    }
