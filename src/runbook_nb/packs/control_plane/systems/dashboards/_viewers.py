"""The rows of each dashboard as analysts get them, beside those that are behind it."""

import json
from typing import Any, Final

from runbook_nb.errors import NoAnswerError
from runbook_nb.packs.control_plane.systems._database.dashboards import COMMITTED, drifted
from runbook_nb.probes.calls import Systems
from runbook_nb.probes.connections import Database

# Analytics may see these four for every tenant; governance insights are not theirs.
OF_ANALYTICS: Final = ("adoption_funnel", "agent_performance", "executive_summary")
BECOME: Final = """
select set_config('request.jwt.claims', %(claims)s, true),
       set_config('role', 'authenticated', true),
       set_config('row_security', 'on', true)
"""
CLAIMS: Final = json.dumps({"role": "authenticated", "roles": ["analytics"]})
COUNTING: Final = "select format('select count(*) as rows from public.%%I', %(view)s::text)"


def compared(systems: Systems) -> list[dict[str, Any]]:
    """Return for each dashboard how many rows are behind it, and how many an analyst gets."""
    database = systems.database()
    changed = drifted(database, which="dashboard")
    with database.transaction(rollback=True, snapshot=True):
        behind = {name: _count(database, f"{name}_mv") for name in OF_ANALYTICS}
        viewer = systems.database("viewer")
        with viewer.transaction(rollback=True, moment=database.moment()):
            viewer.rows(BECOME, claims=CLAIMS)
            shown = {name: _count(viewer, name) for name in OF_ANALYTICS}
    return _told(behind, shown, changed)


def compared_by_writer(database: Database) -> list[dict[str, Any]]:
    """Return the same on a connection of an action, which may become an analyst and come back."""
    changed = drifted(database, which="dashboard")
    with database.transaction(rollback=True):
        behind = {name: _count(database, f"{name}_mv") for name in OF_ANALYTICS}
        database.rows(BECOME, claims=CLAIMS)
        shown = {name: _count(database, name) for name in OF_ANALYTICS}
    return _told(behind, shown, changed)


def _told(
    behind: dict[str, int], shown: dict[str, int], changed: list[str]
) -> list[dict[str, Any]]:
    if not any(behind.values()):
        message = "No view behind the dashboards has a row, so none can be hidden."
        raise NoAnswerError(message)
    return [
        {
            "dashboard": name,
            "rows behind it": behind[name],
            "rows shown": shown[name],
            "reads as committed": name not in changed,
        }
        for name in OF_ANALYTICS
    ]


def changed_dashboards(database: Database) -> list[str]:
    """Return the dashboards that do not read as committed."""
    return drifted(database, which="dashboard")


def committed(dashboard: str) -> str:
    """Return the committed definition of a dashboard."""
    return str(COMMITTED[dashboard]["dashboard"]["definition"])


def _count(database: Database, view: str) -> int:
    statement = database.value(COUNTING, view=view)
    return int(database.value(statement))
