"""What is read of the live functions."""

from typing import Final

from runbook_nb.errors import NoAnswerError
from runbook_nb.packs.control_plane.systems.helper_functions._definitions import (
    HELPER_FUNCTIONS,
    absent,
)
from runbook_nb.probes.calls import Reading, Systems, probe

# Whoever may call it from outside is asked; where its schema may not be used, nobody can.
DEFINERS: Final = """
select p.oid::regprocedure::text as "Function",
       n.nspname::text as schema,
       coalesce(array_to_string(p.proconfig, ', '), 'not pinned') as "search path",
       array_to_string(array(
           select role
           from unnest('{anon,authenticated}'::text[]) as role
           where has_schema_privilege(role, n.oid, 'USAGE')
             and has_function_privilege(role, p.oid, 'EXECUTE')), ', ') as "open to"
from pg_proc p
join pg_namespace n on n.oid = p.pronamespace
where p.prosecdef
  and n.nspname !~ '^(pg_|information_schema$)'
  and not exists (
      select from pg_depend d
      where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e')
  and (n.nspname = 'public'
       or exists (
           select from unnest('{anon,authenticated}'::text[]) as role
           where has_schema_privilege(role, n.oid, 'USAGE')
             and has_function_privilege(role, p.oid, 'EXECUTE')))
order by n.nspname, p.proname
"""


@probe(unit="functions", timeout_s=60)
def drift(systems: Systems) -> Reading:
    """Count helper functions that do not answer as the committed ones, or run with other rights.

    Compared is what they answer to each caller, and not their words. One that is not there is named
    and nothing is known of it; raises NoAnswerError where none is.
    """
    committed = HELPER_FUNCTIONS.committed(systems)
    missing = absent(systems.database(), committed)
    if missing and len(missing) == len(committed):
        message = f"None of the helper functions is there: {', '.join(missing)}."
        raise NoAnswerError(message)
    rows = [
        {
            "Function": each.item,
            "differs": each.kind,
            "committed": _body(each.committed),
            "found": _body(each.found),
        }
        for each in HELPER_FUNCTIONS.differing(systems, committed)
    ]
    unknown = [{"Function": name, "differs": "unknown: it is not there"} for name in missing]
    return Reading(value=len(rows), detail=[*rows, *unknown])


@probe(unit="functions")
def definers(systems: Systems) -> Reading:
    """Count functions that run with their owner's rights and so pass every policy by.

    Those in ``public``, and those of any other schema that anon or authenticated may call.
    """
    rows = systems.database().rows(DEFINERS)
    return Reading(value=len(rows), detail=rows)


def _body(definition: str) -> str:
    """Return what differs at a glance: the definition without its name, on one line."""
    _, _, body = " ".join(definition.split()).partition(" LANGUAGE ")
    return body or "none"
