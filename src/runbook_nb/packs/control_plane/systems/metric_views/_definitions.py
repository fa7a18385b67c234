"""Which of the views behind the dashboards give other rows than as committed."""

from typing import Any, Final

from runbook_nb.packs.control_plane.systems._database.dashboards import COMMITTED, LIVE, drifted
from runbook_nb.packs.control_plane.systems._database.owner import run_statement
from runbook_nb.probes.connections import Database

# Both definitions over the rows of now, in one statement and so in one snapshot. As JSON, since a
# changed definition may have other columns.
OTHER_ROWS: Final = """
select format(
    'with stands as (select to_jsonb(one) as row from (%%1$s) as one),
          meant as (select to_jsonb(one) as row from (%%2$s) as one)
     select count(*) as rows
     from ((select row from stands except all select row from meant)
           union all
           (select row from meant except all select row from stands)) as other',
    %(stands)s::text, %(meant)s::text)
"""


def changed_views(database: Database) -> list[dict[str, Any]]:
    """Return each view that does not read as committed, with how many of its rows are others.

    A view that is missing has None in place of that count.
    """
    return [
        {"view": view, "rows that are others": _other_rows(database, view)}
        for view in drifted(database, which="figures")
    ]


def committed(view: str) -> Any:
    """Return what is committed of a view and its dashboard."""
    return next(one for one in COMMITTED.values() if one["figures"]["name"] == view)


def plain(definition: str) -> str:
    """Return a definition as it may stand inside a statement."""
    return definition.strip().rstrip(";")


def _other_rows(database: Database, view: str) -> int | None:
    stands = database.value(LIVE, view=view)
    if stands is None:
        return None
    meant = committed(view)["figures"]["definition"]
    statement = database.value(OTHER_ROWS, stands=plain(stands), meant=plain(meant))
    return int(run_statement(database, statement)[0]["rows"])
