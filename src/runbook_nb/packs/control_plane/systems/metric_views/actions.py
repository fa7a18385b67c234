"""How the views behind the dashboards are refreshed, and made as committed again."""

from typing import Any, Final

from runbook_nb.errors import NothingDoneError
from runbook_nb.packs.control_plane.systems._database.dashboards import COMMITTED, LIVE, drifted
from runbook_nb.packs.control_plane.systems._database.owner import (
    AS_OWNER,
    demand_few,
    run_statement,
)
from runbook_nb.packs.control_plane.systems.metric_views._definitions import (
    changed_views,
    committed,
    plain,
)
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
# Everybody's rights but the owner's, who has them anyway.
RIGHTS: Final = """
select acl.privilege_type as privilege,
       case acl.grantee when 0 then 'public' else quote_ident(pg_get_userbyid(acl.grantee)) end
           as grantee
from pg_class c
cross join aclexplode(c.relacl) as acl
where c.oid = to_regclass(format('public.%%I', %(view)s::text))
  and acl.grantee <> c.relowner
"""
GRANT: Final = """
select format('grant %%s on public.%%I to %%s',
              %(privilege)s::text, %(view)s::text, %(grantee)s::text)
"""
REVOKE: Final = """
select format('revoke all on public.%%I from %%s', %(view)s::text, %(grantee)s::text)
"""
# Without cascade: what else hangs on a view is not lost, but stops the whole.
DROP: Final = """
select format('drop view public.%%I', %(dashboard)s::text) as dashboard,
       format('drop materialized view public.%%I', %(view)s::text) as figures
"""
CREATE: Final = """
select format('create materialized view public.%%I as %%s', %(view)s::text, %(text)s::text)
"""
CREATE_VIEW: Final = """
select format('create view public.%%I with (security_barrier = true) as %%s',
              %(view)s::text, %(text)s::text)
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
    """Make views as committed that read otherwise and give other rows, with all that was on them.

    Index, dashboard and everybody's rights are made again, in one transaction. Raises
    NothingDoneError where both signs do not agree on any view, where a view is missing, or where
    most views differ.
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
    changed = changed_views(database)
    demand_few(len(changed), of=len(COMMITTED), what="views")
    views = [row["view"] for row in changed if row["rows that are others"]]
    if not views:
        message = (
            "No view that is there both reads otherwise and gives other rows: none is rebuilt."
        )
        raise NothingDoneError(message)
    done = []
    with database.transaction(rollback=rollback):
        database.rows(AS_OWNER)
        for view in views:
            stood = database.value(LIVE, view=view)
            _make(database, view, committed(view)["figures"]["definition"])
            done.append({"view": view, "definition that stood there": stood})
        left = [view for view in drifted(database, which="figures") if view in views]
    return {"rebuilt": done, "views that differ after": left}


def _make(database: Database, view: str, definition: str) -> None:
    """Drop a view with its dashboard, and make both with the index and the rights they had."""
    one = committed(view)
    dashboard = one["dashboard"]["name"]
    text = database.value(LIVE, view=dashboard)
    rights = {name: database.rows(RIGHTS, view=name) for name in (view, dashboard)}
    drop = database.rows(DROP, view=view, dashboard=dashboard)[0]
    if text is not None:
        run_statement(database, drop["dashboard"])
    run_statement(database, drop["figures"])
    run_statement(database, database.value(CREATE, view=view, text=plain(definition)))
    run_statement(database, one["figures"]["index"])
    shown = plain(text or one["dashboard"]["definition"])
    run_statement(database, database.value(CREATE_VIEW, view=dashboard, text=shown))
    for name, held in rights.items():
        _set_rights(database, name, held)


def _set_rights(database: Database, view: str, held: list[dict[str, Any]]) -> None:
    """Take what default privileges gave a new view, and give what the old one had."""
    for given in database.rows(RIGHTS, view=view):
        run_statement(database, database.value(REVOKE, view=view, grantee=given["grantee"]))
    for right in held:
        run_statement(database, database.value(GRANT, view=view, **right))
