"""The definitions that are committed, and where the live ones differ."""

import json
from pathlib import Path
from typing import Any, Final

from runbook_nb.packs.control_plane.systems._database.meaning import Callers, same_function
from runbook_nb.probes.connections import Database

EXPECTED: Final = json.loads(
    Path(__file__).with_name("helper_functions.json").read_text(encoding="utf-8")
)
DEFINITIONS: Final = """
select wanted as name,
       pg_get_functiondef(to_regprocedure('public.' || wanted)) as definition
from unnest(%(functions)s::text[]) as wanted
"""


def differing(database: Database) -> list[tuple[dict[str, Any], str]]:
    """Pair what is found with the committed definition, wherever they do not answer the same.

    Of a function that is not there nothing is known; ``absent`` names it.
    """
    committed = {one["name"]: one["definition"] for one in EXPECTED["functions"]}
    callers = Callers(database)
    return [
        (found, committed[found["name"]])
        for found in database.rows(DEFINITIONS, functions=list(committed))
        if found["definition"]
        and not same_function(
            callers,
            name=found["name"],
            live=found["definition"],
            committed=committed[found["name"]],
        )
    ]


def absent(database: Database) -> list[str]:
    """Return the functions that are committed and not there."""
    names = [one["name"] for one in EXPECTED["functions"]]
    found = database.rows(DEFINITIONS, functions=names)
    return [row["name"] for row in found if not row["definition"]]
