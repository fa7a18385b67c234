"""The rows of each dashboard as analysts get them, beside those that are behind it."""

import json
from typing import Any, Final

from runbook_nb.errors import NoAnswerError
from runbook_nb.packs.control_plane.systems._database.dashboards import COMMITTED, drifted
from runbook_nb.packs.control_plane.systems._database.owner import run_statement
from runbook_nb.probes.calls import Systems
from runbook_nb.probes.connections import Database

Content = dict[str, Any]

# Analytics may see these four for every tenant; governance insights are not theirs.
OF_ANALYTICS: Final = (
    "adoption_funnel",
    "agent_performance",
    "executive_summary",
    "operations_health",
)
BECOME: Final = """
select set_config('request.jwt.claims', %(claims)s, true),
       set_config('role', 'authenticated', true),
       set_config('row_security', 'on', true)
"""
CLAIMS: Final = json.dumps({"role": "authenticated", "roles": ["analytics"]})
# A dashboard may show as many rows as there are, and change what is in them.
CONTENT: Final = """
select format(
    'select count(*) as rows, md5(string_agg(row, chr(10) order by row)) as content
     from (select to_jsonb(one)::text as row from public.%%I as one) as shown',
    %(view)s::text)
"""
# Times are written out in the zone of the session, and there are two.
IN_UTC: Final = "select set_config('timezone', 'UTC', true)"


def compared(systems: Systems) -> list[dict[str, Any]]:
    """Return for each dashboard what is behind it, and what an analyst gets of it."""
    database = systems.database()
    changed = drifted(database, which="dashboard")
    with database.transaction(rollback=True, snapshot=True):
        behind = {name: _content(database, f"{name}_mv") for name in OF_ANALYTICS}
        viewer = systems.database("viewer")
        with viewer.transaction(rollback=True, moment=database.moment()):
            viewer.rows(BECOME, claims=CLAIMS)
            shown = {name: _content(viewer, name) for name in OF_ANALYTICS}
    return _told(behind, shown, changed)


def compared_by_writer(database: Database) -> list[dict[str, Any]]:
    """Return the same on a connection of an action, which may become an analyst and come back."""
    changed = drifted(database, which="dashboard")
    with database.transaction(rollback=True):
        behind = {name: _content(database, f"{name}_mv") for name in OF_ANALYTICS}
        database.rows(BECOME, claims=CLAIMS)
        shown = {name: _content(database, name) for name in OF_ANALYTICS}
    return _told(behind, shown, changed)


def _told(
    behind: dict[str, Content], shown: dict[str, Content], changed: list[str]
) -> list[dict[str, Any]]:
    if not any(content["rows"] for content in behind.values()):
        message = "No view behind the dashboards has a row, so none can be shown otherwise."
        raise NoAnswerError(message)
    return [
        {
            "dashboard": name,
            "rows behind it": behind[name]["rows"],
            "rows shown": shown[name]["rows"],
            "altered": shown[name] != behind[name],
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


def _content(database: Database, view: str) -> Content:
    database.rows(IN_UTC)
    statement = database.value(CONTENT, view=view)
    return run_statement(database, statement)[0]
