"""Questions in SQL; the author names the unit that the query answers in.

A parameter stands in the query as ``%(name)s`` on PostgreSQL and SQLite alike, and is bound, never
written into the text. A percent sign is written as it is.
"""

from collections.abc import Mapping
from typing import Any, Final

from runbook_nb.packs.everyday.systems.sql.questions import as_json, demand_value, question
from runbook_nb.probes.calls import Reading, Systems, probe

ROWS_SHOWN: Final = 100
_TOTAL: Final = "rows in all"


@probe(unit="")
def value(
    systems: Systems,
    query: str,
    *,
    parameters: Mapping[str, Any] | None = None,
    unit: str = "",
    database: str = "database",
) -> Reading:
    """Return the one value of one row, in ``unit``; an interval in seconds, a time in ISO 8601.

    No row, several, several columns, NULL and NaN are unknown.
    """
    bound = parameters or {}
    asked = question(query, bound, shows="*", limit=2)
    return Reading(value=demand_value(systems.database(database).rows(asked, **bound)))


@probe(unit="rows")
def count(
    systems: Systems,
    query: str,
    *,
    parameters: Mapping[str, Any] | None = None,
    sample: int = 5,
    database: str = "database",
) -> Reading:
    """Return how many rows a query has, with the first ``sample`` of them as detail."""
    total, shown = _read(systems, query, parameters or {}, limit=max(sample, 1), database=database)
    return Reading(value=total, detail=shown[:sample])


@probe(unit="")
def rows(
    systems: Systems,
    query: str,
    *,
    parameters: Mapping[str, Any] | None = None,
    database: str = "database",
) -> Reading:
    """Return the rows of a query, the first hundred, for a limit such as ``empty()``."""
    total, shown = _read(systems, query, parameters or {}, limit=ROWS_SHOWN, database=database)
    return Reading(value=shown, detail={"rows": total})


def _read(
    systems: Systems, query: str, bound: Mapping[str, Any], *, limit: int, database: str
) -> tuple[int, list[dict[str, Any]]]:
    """Return the number of all rows and the first ones, both of the same moment."""
    shows = f'question.*, count(*) over () as "{_TOTAL}"'
    asked = question(query, bound, shows=shows, limit=limit)
    found = systems.database(database).rows(asked, **bound)
    total = found[0][_TOTAL] if found else 0
    return total, [
        {name: as_json(each) for name, each in row.items() if name != _TOTAL} for row in found
    ]
