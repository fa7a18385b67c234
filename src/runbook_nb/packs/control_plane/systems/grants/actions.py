"""How the grants become what is committed."""

from collections.abc import Sequence
from typing import Any, Final

from runbook_nb.packs.control_plane.systems._database.owner import AS_OWNER
from runbook_nb.packs.control_plane.systems.grants._grants import (
    GRANTS,
    excess_grants,
    missing_grants,
)
from runbook_nb.probes.calls import Systems, action
from runbook_nb.probes.connections import Database
from runbook_nb.text.values import Json

CHANGE: Final = """
select format('%%s %%s on %%s %%s %%s %%s',
              case when %(give)s then 'grant' else 'revoke' end,
              %(privilege)s::text,
              %(kind)s::text,
              case %(kind)s::text
                  when 'table' then format('public.%%I', %(name)s::text)
                  when 'function' then to_regprocedure('public.' || %(name)s::text)::text
                  else quote_ident(%(name)s::text)
              end,
              case when %(give)s then 'to' else 'from' end,
              case %(role)s::text when 'public' then 'public' else quote_ident(%(role)s::text) end)
"""


@action(timeout_s=30, repeatable=True, contained=True)
def restore(systems: Systems) -> Json:
    """Give the grants that are missing and take those that are too many, in one transaction."""
    return _restore(systems, rollback=False)


@restore.rehearsal
def _(systems: Systems) -> Json:
    return _restore(systems, rollback=True)


@restore.undo
def _(systems: Systems, result: Json) -> Json:
    database = systems.database()
    with database.transaction():
        database.rows(AS_OWNER)
        _change(database, result["granted"], give=False)
        _change(database, result["revoked"], give=True)
    return {"revoked again": result["granted"], "granted again": result["revoked"]}


def _restore(systems: Systems, *, rollback: bool) -> Json:
    database, committed = systems.database(), GRANTS.committed(systems)
    with database.transaction(rollback=rollback):
        database.rows(AS_OWNER)
        missing = missing_grants(database, committed)
        excess = excess_grants(database, committed)
        _change(database, missing, give=True)
        _change(database, excess, give=False)
        left = len(missing_grants(database, committed)) + len(excess_grants(database, committed))
    return {"granted": missing, "revoked": excess, "grants that differ after": left}


def _change(database: Database, grants: Sequence[dict[str, Any]], *, give: bool) -> None:
    for grant in grants:
        # PostgreSQL quoted the names in it; a percent sign must not read as a parameter.
        statement = database.value(CHANGE, give=give, **grant)
        database.rows(statement.replace("%", "%%"))
