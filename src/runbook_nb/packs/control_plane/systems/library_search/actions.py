"""How the index is searched more widely."""

from statistics import mean
from typing import Any, Final

from runbook_nb.errors import NothingDoneError
from runbook_nb.packs.control_plane.systems._database.owner import AS_OWNER, run_statement
from runbook_nb.packs.control_plane.systems.library_search._queries import (
    demand_index,
    recalls,
    sample,
)
from runbook_nb.packs.control_plane.systems.library_search._settings import effective, said
from runbook_nb.probes.calls import Systems, action
from runbook_nb.probes.connections import Database
from runbook_nb.text.values import Json

_QUERIES: Final = 50
_GOOD: Final = 0.95
STATEMENT: Final = """
select format('alter %%s %%s %%s',
              %(kind)s::text,
              case when %(kind)s::text = 'function'
                   then %(name)s::text::regproc::regprocedure::text
                   else quote_ident(%(name)s::text) end,
              case when %(value)s::text is null then format('reset %%s', %(setting)s::text)
                   else format('set %%s = %%L', %(setting)s::text, %(value)s::text) end)
"""


@action(timeout_s=60, repeatable=True, contained=True)
def widen(systems: Systems, *, ef_search: int, iterative_scan: str = "relaxed_order") -> Json:
    """Let every search of the index look at more candidates, and go on until it has its rows.

    What narrows it for a role or for the function is reset, and the database gets both settings.
    Sessions that are open keep the old ones until they connect again. Raises NothingDoneError where
    the index finds too little with these settings as well: then the index is the cause.
    """
    predicted = _predicted(systems, _settings(ef_search, iterative_scan))
    if predicted < _GOOD:
        message = (
            f"With ef_search {ef_search} the index finds {predicted:.0%} of the true nearest, so "
            "the index itself is the cause. Nothing was changed: take Option C."
        )
        raise NothingDoneError(message)
    database = systems.database()
    with database.transaction():
        before = said(database)
        _widen(database, before, _settings(ef_search, iterative_scan))
        return {"before": before, "now": effective(database), "recall then": round(predicted, 3)}


@widen.rehearsal
def _(systems: Systems, *, ef_search: int, iterative_scan: str = "relaxed_order") -> Json:
    wanted = _settings(ef_search, iterative_scan)
    predicted = _predicted(systems, wanted)
    database = systems.database()
    with database.transaction(rollback=True):
        before, was = said(database), effective(database)
        _widen(database, before, wanted)
        return {"now": was, "then": effective(database), "recall then": round(predicted, 3)}


@widen.undo
def _(
    systems: Systems,
    result: Json,
    *,
    ef_search: int,  # noqa: ARG001
    iterative_scan: str = "relaxed_order",  # noqa: ARG001
) -> Json:
    database = systems.database()
    with database.transaction():
        database.rows(AS_OWNER)
        for row in said(database):
            _say(database, row, dict.fromkeys(_own(row)))
        for row in result["before"]:
            _say(database, row, _own(row))
        return {"now": effective(database)}


def _settings(ef_search: int, iterative_scan: str) -> dict[str, str]:
    return {"hnsw.ef_search": str(ef_search), "hnsw.iterative_scan": iterative_scan}


def _predicted(systems: Systems, wanted: dict[str, str]) -> float:
    """Search with the settings as they would be; returns which share of the true nearest is found.

    Nothing is changed: they hold until the transaction of each search ends.
    """
    database = systems.database()
    vectors = [row["vector"] for row in sample(database, _QUERIES)]
    demand_index(database, vectors[0])
    return mean(recalls(database, vectors, wider=wanted))


def _widen(database: Database, before: list[dict[str, Any]], wanted: dict[str, str]) -> None:
    database.rows(AS_OWNER)
    for row in before:
        _say(database, row, dict.fromkeys(_own(row)))
    name = database.value("select current_database()")
    _say(database, {"kind": "database", "name": name}, wanted)


def _own(row: dict[str, Any]) -> dict[str, str]:
    return {name: value for name, value in row.items() if name.startswith("hnsw.")}


def _say(database: Database, row: dict[str, Any], settings: dict[str, Any]) -> None:
    """Set or, where the value is None, reset settings of a role, the database or the function."""
    for name, value in settings.items():
        about = {"kind": row["kind"], "name": row["name"], "setting": name, "value": value}
        run_statement(database, database.value(STATEMENT, **about))
