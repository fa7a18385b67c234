"""What is read of the live grants."""

from typing import Final

from runbook_nb.errors import NoAnswerError
from runbook_nb.packs.control_plane.systems.grants._grants import (
    EXCESS,
    EXPECTED,
    Grant,
    absent_objects,
    missing_grants,
)
from runbook_nb.probes.calls import Reading, Systems, probe

BYPASSING: Final = """
select rolname::text as "Role",
       rolsuper as superuser,
       rolbypassrls as "bypasses row level security",
       rolcanlogin as "may log in"
from pg_roles
where (rolsuper or rolbypassrls)
  and rolname !~ '^pg_'
order by rolname
"""


@probe(unit="grants")
def drift(systems: Systems) -> Reading:
    """Count grants that callers lack, or that are given to everybody, against what is committed.

    A grant that a closed leak took away is not missed. Of an object that is not there nothing is
    known: it is named. Raises NoAnswerError where none of them is there.
    """
    database = systems.database()
    absent = absent_objects(database)
    if len(absent) == len(EXPECTED["relations"]) + len(EXPECTED["functions"]):
        message = f"None of the objects is there that grants are committed for: {absent[0]}, …"
        raise NoAnswerError(message)
    rows = [
        *({"Grant": _said(grant), "differs": "missing"} for grant in missing_grants(database)),
        *({"Grant": _said(grant), "differs": "not committed"} for grant in database.rows(EXCESS)),
    ]
    unknown = [{"Grant": f"on {name}", "differs": "unknown: it is not there"} for name in absent]
    return Reading(value=len(rows), detail=[*rows, *unknown])


@probe(unit="roles")
def bypassing(systems: Systems) -> Reading:
    """Count roles that bypass row level security or are superusers, beyond the committed ones."""
    rows = systems.database().rows(BYPASSING)
    for row in rows:
        row["verdict"] = "committed" if row["Role"] in EXPECTED["bypassing"] else "not committed"
    return Reading(value=sum(row["verdict"] != "committed" for row in rows), detail=rows)


def _said(grant: Grant) -> str:
    return "{privilege} on {kind} {name} to {role}".format_map(grant)
