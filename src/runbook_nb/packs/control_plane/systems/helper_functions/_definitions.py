"""The definitions that are committed, and where the live ones differ."""

import json
from pathlib import Path
from typing import Any, Final

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
    """Pair what is found with the committed definition, wherever they are not the same."""
    committed = {one["name"]: one["definition"] for one in EXPECTED["functions"]}
    return [
        (found, committed[found["name"]])
        for found in database.rows(DEFINITIONS, functions=list(committed))
        if plain(found["definition"] or "") != plain(committed[found["name"]])
    ]


def plain(definition: str) -> str:
    """Return a definition with its white space made even."""
    return " ".join(definition.split())
