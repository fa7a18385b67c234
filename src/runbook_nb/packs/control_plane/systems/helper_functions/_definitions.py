"""The definitions that are committed, and where the live ones differ."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from runbook_nb.packs.control_plane.systems._database.meaning import Callers, same_function
from runbook_nb.probes.baseline import Difference, Items, Part
from runbook_nb.probes.calls import Systems
from runbook_nb.probes.connections import Database

_COMMITTED: Final = json.loads(
    Path(__file__).with_name("helper_functions.json").read_text(encoding="utf-8")
)
DEFINITIONS: Final = """
select wanted as name,
       pg_get_functiondef(to_regprocedure('public.' || wanted)) as definition
from unnest(%(functions)s::text[]) as wanted
"""


# Those that a policy calls, by the names that PostgreSQL itself gives them.
CALLED: Final = """
select distinct p.oid::regprocedure::text as name
from pg_depend d
join pg_proc p on p.oid = d.refobjid
where d.classid = 'pg_policy'::regclass
  and d.refclassid = 'pg_proc'::regclass
  and p.pronamespace = 'public'::regnamespace
"""


def definitions(database: Database, names: Iterable[str]) -> dict[str, str]:
    """Return the live definitions of those of these functions that are there."""
    found = database.rows(DEFINITIONS, functions=sorted(names))
    return {row["name"]: row["definition"] for row in found if row["definition"]}


def differing(database: Database, committed: Items) -> list[Difference]:
    """Return the functions that do not answer as the committed definition does.

    Of a function that is not there nothing is known; ``absent`` names it.
    """
    callers = Callers(database)
    return [
        Difference(item=name, committed=committed[name], found=live)
        for name, live in definitions(database, committed).items()
        if not same_function(callers, name=name, live=live, committed=committed[name])
    ]


def absent(database: Database, committed: Items) -> list[str]:
    """Return the functions that are committed and not there."""
    return sorted(committed.keys() - definitions(database, committed).keys())


def _take(systems: Systems) -> Items:
    database = systems.database()
    called = {row["name"] for row in database.rows(CALLED)}
    return definitions(database, called | HELPER_FUNCTIONS.brought.keys())


HELPER_FUNCTIONS: Final = Part(
    name="helper_functions",
    about="Functions that policies call, compared by what they answer to each caller.",
    take=_take,
    differing=lambda systems, committed: differing(systems.database(), committed),
    brought={one["name"]: one["definition"] for one in _COMMITTED["functions"]},
)
