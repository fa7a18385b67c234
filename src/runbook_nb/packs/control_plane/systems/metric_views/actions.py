"""How the views behind the dashboards are refreshed, and made as committed again."""

from typing import Any, Final

from runbook_nb.errors import NothingDoneError
from runbook_nb.packs.control_plane.systems._database.dashboards import COMMITTED, LIVE, drifted
from runbook_nb.packs.control_plane.systems._database.owner import AS_OWNER, run_statement
from runbook_nb.packs.control_plane.systems.metric_views._figures import differing
from runbook_nb.probes.calls import Systems, action
from runbook_nb.probes.connections import Database
from runbook_nb.text.values import Json

VIEWS: Final = [one["figures"]["name"] for one in COMMITTED.values()]
# Raises where a view is not there, or is not its owner's to refresh.
HOLDS: Final = """
select %(view)s::text as view,
       pg_table_size(format('public.%%I', %(view)s::text)::regclass) / 1000 as "KB now",
       pg_has_role(relowner, 'USAGE') as "may be refreshed"
from pg_class
where oid = format('public.%%I', %(view)s::text)::regclass
"""
# Concurrently: who reads a dashboard meanwhile is not kept waiting.
REFRESH: Final = """
select format('refresh materialized view concurrently public.%%I', %(view)s::text)
"""
TOLD: Final = """
insert into telemetry_events (event_type, status, context, correlation_id)
values ('metrics_refresh_completed', 'success',
        jsonb_build_object('views', %(views)s::text[], 'by', 'runbook'), %(attempt)s)
returning id
"""
HELD: Final = """
select role,
       has_table_privilege(role, to_regclass(format('public.%%I', %(view)s::text)), 'SELECT')
           as reads
from unnest(array['anon', 'authenticated', 'service_role']) as role
"""
DROP: Final = "select format('drop materialized view public.%%I cascade', %(view)s::text)"
CREATE: Final = """
select format('create materialized view public.%%I as %%s', %(view)s::text, %(text)s::text)
"""
CREATE_VIEW: Final = """
select format('create view public.%%I with (security_barrier = true) as %%s',
              %(view)s::text, %(text)s::text)
"""
GRANT: Final = """
select format('%%s on public.%%I %%s %%I',
              case when %(reads)s then 'grant select' else 'revoke all' end, %(view)s::text,
              case when %(reads)s then 'to' else 'from' end, %(role)s::text)
"""


@action(timeout_s=600, repeatable=True, contained=True)
def refresh(systems: Systems) -> Json:
    """Refresh the five views, readers not kept waiting, and tell of it by an event."""
    database = systems.database()
    with database.transaction():
        database.rows(AS_OWNER)
        for view in VIEWS:
            run_statement(database, database.value(REFRESH, view=view))
        database.rows(TOLD, views=VIEWS, attempt=systems.attempt or None)
    return {"refreshed": VIEWS}


@refresh.rehearsal
def _(systems: Systems) -> Json:
    # The refresh itself is what costs: a rehearsal looks at what it would read and replace.
    database = systems.database()
    with database.transaction(rollback=True):
        database.rows(AS_OWNER)
        return {"would be refreshed": [database.row(HOLDS, view=view) for view in VIEWS]}


@action(timeout_s=300, repeatable=True, contained=True)
def rebuild(systems: Systems) -> Json:
    """Make the views with wrong figures as committed, with index, dashboard and grants.

    One transaction. Raises NothingDoneError where no view is both wrong and changed.
    """
    return _rebuilt(systems.database(), rollback=False)


@rebuild.rehearsal
def _(systems: Systems) -> Json:
    return _rebuilt(systems.database(), rollback=True)


@rebuild.undo
def _(systems: Systems, result: Json) -> Json:
    database = systems.database()
    with database.transaction():
        database.rows(AS_OWNER)
        for one in result["rebuilt"]:
            _make(database, one["view"], one["definition that stood there"])
    return {"as it stood there": [one["view"] for one in result["rebuilt"]]}


def _rebuilt(database: Database, *, rollback: bool) -> Json:
    wrong = {row["figure"].partition(".")[0] for row in differing(database)}
    views = [view for view in drifted(database, which="figures") if view in wrong]
    if not views:
        message = "No view is both wrong and changed, so none was rebuilt."
        raise NothingDoneError(message)
    done = []
    with database.transaction(rollback=rollback):
        database.rows(AS_OWNER)
        for view in views:
            stood = database.value(LIVE, view=view)
            _make(database, view, _committed(view)["figures"]["definition"])
            done.append({"view": view, "definition that stood there": stood})
        left = [row for row in differing(database) if row["figure"].partition(".")[0] in views]
    return {"rebuilt": done, "figures that differ after": len(left)}


def _make(database: Database, view: str, definition: str) -> None:
    """Drop a view with its dashboard, and make both with the index and the grants they had."""
    committed = _committed(view)
    dashboard = committed["dashboard"]["name"]
    text = database.value(LIVE, view=dashboard) or committed["dashboard"]["definition"]
    held = {name: database.rows(HELD, view=name) for name in (view, dashboard)}
    run_statement(database, database.value(DROP, view=view))
    run_statement(database, database.value(CREATE, view=view, text=definition.strip().rstrip(";")))
    run_statement(database, committed["figures"]["index"])
    run_statement(database, database.value(CREATE_VIEW, view=dashboard, text=text))
    for name, grants in held.items():
        for grant in grants:
            run_statement(database, database.value(GRANT, view=name, **grant))


def _committed(view: str) -> Any:
    return next(one for one in COMMITTED.values() if one["figures"]["name"] == view)
