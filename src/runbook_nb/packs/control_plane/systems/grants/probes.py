"""What is read of the live grants."""

from typing import Final

from runbook_nb.packs.control_plane.systems.grants._grants import (
    EXCESS,
    EXPECTED,
    Grant,
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

    A grant that a closed leak took away is not missed.
    """
    database = systems.database()
    rows = [
        *({"Grant": _said(grant), "differs": "missing"} for grant in missing_grants(database)),
        *({"Grant": _said(grant), "differs": "not committed"} for grant in database.rows(EXCESS)),
    ]
    return Reading(value=len(rows), detail=rows)


@probe(unit="roles")
def bypassing(systems: Systems) -> Reading:
    """Count roles that bypass row level security or are superusers, beyond the committed ones."""
    rows = systems.database().rows(BYPASSING)
    for row in rows:
        row["verdict"] = "committed" if row["Role"] in EXPECTED["bypassing"] else "not committed"
    return Reading(value=sum(row["verdict"] != "committed" for row in rows), detail=rows)


def _said(grant: Grant) -> str:
    return "{privilege} on {kind} {name} to {role}".format_map(grant)
