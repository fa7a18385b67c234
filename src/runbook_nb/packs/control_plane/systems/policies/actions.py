"""How policies and switches become what is committed."""

from typing import Final

from runbook_nb.packs.control_plane.systems._database.owner import (
    AS_OWNER,
    demand_few,
    run_statement,
)
from runbook_nb.packs.control_plane.systems.policies._policies import (
    CURES,
    POLICIES,
    ROW_SECURITY,
    SWITCHES,
    Policy,
)
from runbook_nb.probes.calls import Systems, action
from runbook_nb.probes.connections import Database
from runbook_nb.text.values import Json

DROP: Final = """
select format('drop policy if exists %%I on public.%%I', %(name)s::text, %(table)s::text)
"""
CREATE: Final = """
select format('create policy %%I on public.%%I as %%s for %%s to %%s',
              %(name)s::text, %(table)s::text, %(permissive)s::text, %(command)s::text,
              (select string_agg(case role when 'public' then role else quote_ident(role) end, ', ')
               from unnest(%(roles)s::text[]) as role))
    || coalesce(' using (' || %(using)s::text || ')', '')
    || coalesce(' with check (' || %(check)s::text || ')', '')
"""
ENABLE: Final = "select format('alter table public.%%I enable row level security', %(table)s::text)"


@action(timeout_s=30, repeatable=True, contained=True)
def restore(systems: Systems) -> Json:
    """Make the policies what is committed, in one transaction; returns what stood there.

    Declines where more than a quarter of them differ: then another platform is committed.
    """
    return _restore(systems, rollback=False)


@restore.rehearsal
def _(systems: Systems) -> Json:
    return _restore(systems, rollback=True)


@restore.undo
def _(systems: Systems, result: Json) -> Json:
    database = systems.database()
    with database.transaction():
        database.rows(AS_OWNER)
        for change in reversed(result["policies"]):
            _replace(database, change["is"], change["was"])
    return {"back to what stood there": [change["policy"] for change in result["policies"]]}


@action(timeout_s=30, repeatable=True, irreversible=True, contained=True)
def switch_on(systems: Systems) -> Json:
    """Turn row level security on where it is off and not known to be.

    There is no undo: row level security is never turned off on a live table. A table that has no
    policy shows nothing to anybody but its owner from then on.
    """
    return _switch_on(systems, rollback=False)


@switch_on.rehearsal
def _(systems: Systems) -> Json:
    return _switch_on(systems, rollback=True)


@action(timeout_s=30, repeatable=True, irreversible=True, contained=True)
def protect_personas(systems: Systems) -> Json:
    """Turn row level security on for personas, readable by all and written by the service alone.

    There is no undo: row level security is never turned off on a live table.
    """
    return _protect(systems.database(), rollback=False)


@protect_personas.rehearsal
def _(systems: Systems) -> Json:
    return _protect(systems.database(), rollback=True)


def _restore(systems: Systems, *, rollback: bool) -> Json:
    database, committed = systems.database(), POLICIES.committed(systems)
    with database.transaction(rollback=rollback):
        database.rows(AS_OWNER)
        found = POLICIES.differing(systems, committed)
        demand_few(len(found), of=len(committed), what="policies")
        for each in found:
            _replace(database, each.found, each.committed)
        left = len(POLICIES.differing(systems, committed))
    return {
        "policies": [
            {**_named(each.found or each.committed), "was": each.found, "is": each.committed}
            for each in found
        ],
        "policies that differ after": left,
    }


def _replace(database: Database, gone: Policy | None, comes: Policy | None) -> None:
    for policy, statement in ((gone, DROP), (comes, CREATE)):
        if policy is not None:
            run_statement(database, database.value(statement, **policy))


def _switch_on(systems: Systems, *, rollback: bool) -> Json:
    database, committed = systems.database(), ROW_SECURITY.committed(systems)
    with database.transaction(rollback=rollback):
        database.rows(AS_OWNER)
        off = {each.item for each in ROW_SECURITY.differing(systems, committed)}
        switched = [row for row in database.rows(SWITCHES) if row["table"] in off]
        for row in switched:
            run_statement(database, database.value(ENABLE, table=row["table"]))
    return {"switched on": [{"table": r["table"], "policies": r["policies"]} for r in switched]}


def _protect(database: Database, *, rollback: bool) -> Json:
    with database.transaction(rollback=rollback):
        database.rows(AS_OWNER)
        off = [row["table"] for row in database.rows(SWITCHES) if not row["row level security"]]
        cures = [cure for cure in CURES if cure["table"] in off]
        for cure in cures:
            _replace(database, cure, cure)
            run_statement(database, database.value(ENABLE, table=cure["table"]))
    return {"protected": [{"table": cure["table"], "policy": cure["name"]} for cure in cures]}


def _named(policy: Policy) -> dict[str, str]:
    return {"table": policy["table"], "policy": policy["name"]}
