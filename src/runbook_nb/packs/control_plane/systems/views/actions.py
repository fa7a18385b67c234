"""How views are closed."""

from collections.abc import Sequence
from typing import Any, Final

from runbook_nb.packs.control_plane.systems._database.owner import AS_OWNER, run_statement
from runbook_nb.packs.control_plane.systems.views._views import (
    OPEN,
    standing_of,
)
from runbook_nb.probes.calls import Systems, action
from runbook_nb.probes.connections import Database
from runbook_nb.text.values import Json

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


@action(timeout_s=30, repeatable=True, contained=True)
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


@action(timeout_s=30, repeatable=True, contained=True)
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
        run_statement(database, database.value(REVOKE, view=view))
    else:
        run_statement(database, database.value(ASK_AS_CALLER, view=view, on=True))
    return {"view": view, "change": row["cure"], "grants that stood there": held}


def _open_again(database: Database, result: Json) -> Json:
    with database.transaction():
        database.rows(AS_OWNER)
        for change in result["closed"]:
            for grant in change["grants that stood there"]:
                run_statement(database, database.value(GRANT, view=change["view"], **grant))
            if change["change"] == "security_invoker":
                asked = database.value(ASK_AS_CALLER, view=change["view"], on=False)
                run_statement(database, asked)
    return {"open again": [change["view"] for change in result["closed"]]}


def _open(database: Database, standing: str) -> Sequence[dict[str, Any]]:
    return [row for row in database.rows(OPEN) if standing_of(row) == standing]
