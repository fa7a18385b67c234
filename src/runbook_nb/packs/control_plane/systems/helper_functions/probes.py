"""What is read of the live functions."""

from typing import Final

from runbook_nb.packs.control_plane.systems.helper_functions._definitions import (
    differing,
    plain,
)
from runbook_nb.probes.calls import Reading, Systems, probe

DEFINERS: Final = """
select p.oid::regprocedure::text as "Function",
       coalesce(array_to_string(p.proconfig, ', '), 'not pinned') as "search path"
from pg_proc p
where p.pronamespace = 'public'::regnamespace
  and p.prosecdef
order by p.proname
"""


@probe(unit="functions")
def drift(systems: Systems) -> Reading:
    """Count helper functions whose definition is not the committed one, or that are missing."""
    rows = [
        {
            "Function": found["name"],
            "differs": "changed" if found["definition"] else "missing",
            "committed": _body(definition),
            "found": _body(found["definition"] or ""),
        }
        for found, definition in differing(systems.database())
    ]
    return Reading(value=len(rows), detail=rows)


@probe(unit="functions")
def definers(systems: Systems) -> Reading:
    """Count public functions that run with their owner's rights and so pass every policy by."""
    rows = systems.database().rows(DEFINERS)
    return Reading(value=len(rows), detail=rows)


def _body(definition: str) -> str:
    """Return what differs at a glance: the definition without its name, on one line."""
    _, _, body = plain(definition).partition(" LANGUAGE ")
    return body or "none"
