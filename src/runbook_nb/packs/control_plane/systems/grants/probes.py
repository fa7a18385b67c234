"""What is read of the live grants."""

from runbook_nb.errors import NoAnswerError
from runbook_nb.packs.control_plane.systems.grants._grants import (
    BYPASSING,
    BYPASSING_ROLES,
    GRANTS,
    absent_objects,
    excess_grants,
    grants_of,
    missing_grants,
    said,
)
from runbook_nb.probes.calls import Reading, Systems, probe


@probe(unit="grants")
def drift(systems: Systems) -> Reading:
    """Count grants that callers lack, or that are given to everybody, against what is committed.

    A grant that a closed leak took away is not missed. Of an object that is not there nothing is
    known: it is named. Raises NoAnswerError where none of them is there.
    """
    database, committed = systems.database(), GRANTS.committed(systems)
    absent = absent_objects(database, committed)
    objects = {grant["name"] for grant in grants_of(committed) if grant["kind"] != "schema"}
    if absent and len(absent) == len(objects):
        message = f"None of the objects is there that grants are committed for: {absent[0]}, …"
        raise NoAnswerError(message)
    rows = [
        *(
            {"Grant": said(grant), "differs": "missing"}
            for grant in missing_grants(database, committed)
        ),
        *(
            {"Grant": said(grant), "differs": "not committed"}
            for grant in excess_grants(database, committed)
        ),
    ]
    unknown = [{"Grant": f"on {name}", "differs": "unknown: it is not there"} for name in absent]
    return Reading(value=len(rows), detail=[*rows, *unknown])


@probe(unit="roles")
def bypassing(systems: Systems) -> Reading:
    """Count roles that bypass row level security or are superusers, beyond the committed ones."""
    rows, committed = systems.database().rows(BYPASSING), BYPASSING_ROLES.committed(systems)
    for row in rows:
        row["verdict"] = "committed" if row["Role"] in committed else "not committed"
    return Reading(value=sum(row["verdict"] != "committed" for row in rows), detail=rows)
