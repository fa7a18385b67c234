"""Views that show more than the policies beneath them: which are open, and how to close them.

A view runs with its owner's rights unless it has ``security_invoker``, and a materialized view
cannot carry policies at all: both show every tenant's rows to whoever may select from them.
"""

from collections.abc import Sequence
from typing import Any, Final

from runbook_nb.probes.calls import Reading, Systems, action, probe
from runbook_nb.probes.connections import Database
from runbook_nb.text.values import Json

# The dashboards ask for the caller's claims themselves.
REVIEWED: Final = (
    "adoption_funnel",
    "agent_performance",
    "executive_summary",
    "governance_insights",
    "operations_health",
)
# The platform's schema was made with these; they are known, and Option E closes them.
KNOWN: Final = (
    "adoption_funnel_mv",
    "agent_performance_mv",
    "executive_summary_mv",
    "governance_insights_mv",
    "operations_health_mv",
    "mission_readiness",
    "mission_stage_progress",
)

AS_OWNER: Final = """
select set_config('lock_timeout', '3s', true),
       set_config('role', (select pg_get_userbyid(relowner)
                           from pg_class where oid = 'public.missions'::regclass), true)
"""

OPEN: Final = """
with view as (
    select c.oid,
           c.relname::text as name,
           c.relkind,
           coalesce((select option_value::boolean
                     from pg_options_to_table(c.reloptions)
                     where option_name = 'security_invoker'), false) as asks_as_caller,
           array(select role
                 from unnest('{anon,authenticated}'::text[]) as role
                 where has_table_privilege(role, c.oid, 'SELECT')) as readers,
           array(select distinct base.relname::text
                 from pg_rewrite r
                 join pg_depend d on d.classid = 'pg_rewrite'::regclass and d.objid = r.oid
                 join pg_class base on base.oid = d.refobjid
                      and d.refclassid = 'pg_class'::regclass
                      and base.oid <> c.oid
                      and (base.relrowsecurity or base.relkind in ('v', 'm'))
                 where r.ev_class = c.oid) as beneath,
           exists (select
                   from pg_rewrite r
                   join pg_depend d on d.classid = 'pg_rewrite'::regclass and d.objid = r.oid
                   join pg_class base on base.oid = d.refobjid
                        and d.refclassid = 'pg_class'::regclass
                   where r.ev_class = c.oid and base.relkind = 'm' and base.oid <> c.oid) as over_mv
    from pg_class c
    where c.relnamespace = 'public'::regnamespace
      and c.relkind in ('v', 'm')
)
select name as view,
       case relkind when 'm' then 'materialized view' else 'view' end as kind,
       array_to_string(readers, ', ') as "open to",
       array_to_string(beneath, ', ') as "shows rows of",
       case when relkind = 'm' or over_mv then 'revoke' else 'security_invoker' end as cure
from view
where readers <> '{}'
  and beneath <> '{}'
  and not asks_as_caller
order by name
"""

HELD: Final = """
select case acl.grantee when 0 then 'public' else pg_get_userbyid(acl.grantee)::text end as role,
       acl.privilege_type as privilege
from pg_class c
cross join aclexplode(c.relacl) as acl
where c.oid = to_regclass(format('public.%%I', %(view)s::text))
  and (acl.grantee = 0 or pg_get_userbyid(acl.grantee) in ('anon', 'authenticated'))
order by role, privilege
"""
REVOKE: Final = """
select format('revoke all on public.%%I from public, anon, authenticated', %(view)s::text)
"""
GRANT: Final = """
select format('grant %%s on public.%%I to %%s', %(privilege)s::text, %(view)s::text,
              case %(role)s::text when 'public' then 'public' else quote_ident(%(role)s::text) end)
"""
ASK_AS_CALLER: Final = """
select format('alter view public.%%I %%s', %(view)s::text,
              case when %(on)s then 'set (security_invoker = true)'
                   else 'reset (security_invoker)' end)
"""


@probe(unit="views")
def leaking(systems: Systems) -> Reading:
    """Count open views that nobody committed; the known and the reviewed ones are only listed."""
    rows = [{**_listed(row), "verdict": _standing(row)} for row in systems.database().rows(OPEN)]
    order = ("leaks", "known leak", "filters by claims")
    rows.sort(key=lambda row: order.index(row["verdict"]))
    return Reading(value=sum(row["verdict"] == "leaks" for row in rows), detail=rows)


@probe(unit="leaks")
def known_leaks(systems: Systems, *, accepted: bool) -> Reading:
    """Count the known leaks that are still open; none while they are ``accepted``."""
    database = systems.database()
    rows = [_listed(row) for row in database.rows(OPEN) if row["view"] in KNOWN]
    personas = "select relrowsecurity from pg_class where oid = to_regclass('public.personas')"
    if not any(row["relrowsecurity"] for row in database.rows(personas)):
        rows.append({"View": "personas", "kind": "table", "open to": "anon, authenticated: writes"})
    return Reading(value=0 if accepted else len(rows), detail=rows)


@action(timeout_s=30, repeatable=True)
def close(systems: Systems) -> Json:
    """Close the views that leak and that nobody committed, in one transaction.

    A view is set to ask as its caller; a materialized view, or a view of one, is taken away from
    anon and authenticated. Returns what was changed and which grants stood there.
    """
    return _close(systems.database(), known=False, rollback=False)


@close.rehearsal
def _(systems: Systems) -> Json:
    return _close(systems.database(), known=False, rollback=True)


@close.undo
def _(systems: Systems, result: Json) -> Json:
    return _open_again(systems.database(), result)


@action(timeout_s=30, repeatable=True)
def close_known(systems: Systems) -> Json:
    """Close the seven known leaks in the same way."""
    return _close(systems.database(), known=True, rollback=False)


@close_known.rehearsal
def _(systems: Systems) -> Json:
    return _close(systems.database(), known=True, rollback=True)


@close_known.undo
def _(systems: Systems, result: Json) -> Json:
    return _open_again(systems.database(), result)


def _close(database: Database, *, known: bool, rollback: bool) -> Json:
    wanted = "known leak" if known else "leaks"
    with database.transaction(rollback=rollback):
        database.rows(AS_OWNER)
        closed = [_close_one(database, row) for row in _open(database, wanted)]
        left = len(_open(database, wanted))
    return {"closed": closed, "open after": left}


def _close_one(database: Database, row: dict[str, Any]) -> dict[str, Any]:
    view, held = row["view"], []
    if row["cure"] == "revoke":
        held = database.rows(HELD, view=view)
        _run(database, database.value(REVOKE, view=view))
    else:
        _run(database, database.value(ASK_AS_CALLER, view=view, on=True))
    return {"view": view, "change": row["cure"], "grants that stood there": held}


def _open_again(database: Database, result: Json) -> Json:
    with database.transaction():
        database.rows(AS_OWNER)
        for change in result["closed"]:
            for grant in change["grants that stood there"]:
                _run(database, database.value(GRANT, view=change["view"], **grant))
            if change["change"] == "security_invoker":
                _run(database, database.value(ASK_AS_CALLER, view=change["view"], on=False))
    return {"open again": [change["view"] for change in result["closed"]]}


def _open(database: Database, standing: str) -> Sequence[dict[str, Any]]:
    return [row for row in database.rows(OPEN) if _standing(row) == standing]


def _standing(row: dict[str, Any]) -> str:
    if row["view"] in REVIEWED:
        return "filters by claims"
    return "known leak" if row["view"] in KNOWN else "leaks"


def _listed(row: dict[str, Any]) -> dict[str, Any]:
    rest = {name: said for name, said in row.items() if name not in ("view", "cure")}
    return {"View": row["view"], **rest}


def _run(database: Database, statement: str) -> None:
    # PostgreSQL quoted the names in it; a percent sign must not read as a parameter.
    database.rows(statement.replace("%", "%%"))
