"""The helper functions that policies call, as committed or not, and functions with owner's rights.

One changed helper changes every policy that calls it, and the policies still read as committed.
``helper_functions.json`` holds the definitions as PostgreSQL prints them.
"""

import json
from pathlib import Path
from typing import Any, Final

from runbook_nb.probes.calls import Reading, Systems, action, probe
from runbook_nb.probes.connections import Database
from runbook_nb.text.values import Json

EXPECTED: Final = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))

AS_OWNER: Final = """
select set_config('lock_timeout', '3s', true),
       set_config('role', (select pg_get_userbyid(relowner)
                           from pg_class where oid = 'public.missions'::regclass), true)
"""

DEFINITIONS: Final = """
select wanted as name,
       pg_get_functiondef(to_regprocedure('public.' || wanted)) as definition
from unnest(%(functions)s::text[]) as wanted
"""

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
        for found, definition in _differing(systems.database())
    ]
    return Reading(value=len(rows), detail=rows)


@probe(unit="functions")
def definers(systems: Systems) -> Reading:
    """Count public functions that run with their owner's rights and so pass every policy by."""
    rows = systems.database().rows(DEFINERS)
    return Reading(value=len(rows), detail=rows)


@action(timeout_s=30, repeatable=True)
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
                _run(database, change["was"])
    return {"back to what stood there": [change["function"] for change in result["functions"]]}


def _restore(database: Database, *, rollback: bool) -> Json:
    with database.transaction(rollback=rollback):
        database.rows(AS_OWNER)
        pairs = _differing(database)
        for _found, definition in pairs:
            _run(database, definition)
        left = len(_differing(database))
    return {
        "functions": [
            {"function": found["name"], "was": found["definition"], "is": definition}
            for found, definition in pairs
        ],
        "functions that differ after": left,
    }


def _differing(database: Database) -> list[tuple[dict[str, Any], str]]:
    """Pair what is found with the committed definition, wherever they are not the same."""
    committed = {one["name"]: one["definition"] for one in EXPECTED["functions"]}
    return [
        (found, committed[found["name"]])
        for found in database.rows(DEFINITIONS, functions=list(committed))
        if _plain(found["definition"] or "") != _plain(committed[found["name"]])
    ]


def _plain(definition: str) -> str:
    return " ".join(definition.split())


def _body(definition: str) -> str:
    """Return what differs at a glance: the definition without its name, on one line."""
    _, _, body = _plain(definition).partition(" LANGUAGE ")
    return body or "none"


def _run(database: Database, statement: str) -> None:
    # A percent sign in a body must not read as a parameter.
    database.rows(statement.replace("%", "%%"))
