"""Row level security of the public tables: the switch and the policies, as committed or not.

``policies.json`` holds what is committed: each policy with its expressions as PostgreSQL prints
them, the tables that must have the switch on, and those known to have it off. Changes are made as
the tables' owner, in one transaction that gives up when a lock takes longer than 3 s.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from runbook_nb.probes.calls import Reading, Systems, action, probe
from runbook_nb.probes.connections import Database
from runbook_nb.text.values import Json

Policy = dict[str, Any]

EXPECTED: Final = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))

AS_OWNER: Final = """
select set_config('lock_timeout', '3s', true),
       set_config('role', (select pg_get_userbyid(relowner)
                           from pg_class where oid = 'public.missions'::regclass), true)
"""

LIVE: Final = """
select tablename::text as "table",
       policyname::text as name,
       permissive,
       roles::text[] as roles,
       cmd as command,
       qual as "using",
       with_check as "check"
from pg_policies
where schemaname = 'public'
order by tablename, policyname
"""

SWITCHES: Final = """
select c.relname::text as "table",
       c.relrowsecurity as "row level security",
       count(p.oid) as policies
from pg_class c
left join pg_policy p on p.polrelid = c.oid
where c.relnamespace = 'public'::regnamespace
  and c.relkind in ('r', 'p')
group by c.oid
order by c.relname
"""

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


@probe(unit="policies")
def drift(systems: Systems) -> Reading:
    """Count policies that are missing, changed, or there without being committed."""
    rows = [
        {
            "Policy": " on ".join(_key(was or should or {})[::-1]),
            "differs": _difference(was, should),
            "committed": _said(should),
            "found": _said(was),
        }
        for was, should in _differing(systems.database())
    ]
    return Reading(value=len(rows), detail=rows)


@action(timeout_s=30, repeatable=True)
def restore(systems: Systems) -> Json:
    """Make the policies what is committed, in one transaction; returns what stood there."""
    return _restore(systems.database(), rollback=False)


@restore.rehearsal
def _(systems: Systems) -> Json:
    return _restore(systems.database(), rollback=True)


@restore.undo
def _(systems: Systems, result: Json) -> Json:
    database = systems.database()
    with database.transaction():
        database.rows(AS_OWNER)
        for change in reversed(result["policies"]):
            _replace(database, change["is"], change["was"])
    return {"back to what stood there": [change["policy"] for change in result["policies"]]}


@probe(unit="tables")
def switched_off(systems: Systems) -> Reading:
    """Count tables without row level security, beyond those committed as known."""
    rows = [row for row in systems.database().rows(SWITCHES) if not row["row level security"]]
    unknown = _unknown(rows)
    detail = [
        {
            "Table": row["table"],
            "policies": row["policies"],
            "row level security": "off" if row in unknown else "off, as known",
        }
        for row in rows
    ]
    return Reading(value=len(unknown), detail=detail)


@action(timeout_s=30, repeatable=True, irreversible=True)
def switch_on(systems: Systems) -> Json:
    """Turn row level security on where it is off and not known to be.

    There is no undo: row level security is never turned off on a live table. A table that has no
    policy shows nothing to anybody but its owner from then on.
    """
    return _switch_on(systems.database(), rollback=False)


@switch_on.rehearsal
def _(systems: Systems) -> Json:
    return _switch_on(systems.database(), rollback=True)


@action(timeout_s=30, repeatable=True, irreversible=True)
def protect_personas(systems: Systems) -> Json:
    """Turn row level security on for personas, readable by all and written by the service alone.

    There is no undo: row level security is never turned off on a live table.
    """
    return _protect(systems.database(), rollback=False)


@protect_personas.rehearsal
def _(systems: Systems) -> Json:
    return _protect(systems.database(), rollback=True)


def _differing(database: Database) -> list[tuple[Policy | None, Policy | None]]:
    """Pair what is found with what is committed, wherever they are not the same."""
    found = {_key(policy): policy for policy in database.rows(LIVE)}
    committed = {_key(policy): policy for policy in EXPECTED["policies"]}
    cures = {_key(policy): policy for policy in EXPECTED["cures"]}
    pairs = []
    for key in sorted(found.keys() | committed.keys()):
        was, should = found.get(key), committed.get(key)
        cured = was is not None and _same(was, cures.get(key))
        if not cured and not _same(was, should):
            pairs.append((was, should))
    return pairs


def _restore(database: Database, *, rollback: bool) -> Json:
    with database.transaction(rollback=rollback):
        database.rows(AS_OWNER)
        pairs = _differing(database)
        for was, should in pairs:
            _replace(database, was, should)
        left = len(_differing(database))
    return {
        "policies": [{**_named(was, should), "was": was, "is": should} for was, should in pairs],
        "policies that differ after": left,
    }


def _replace(database: Database, gone: Policy | None, comes: Policy | None) -> None:
    for policy, statement in ((gone, DROP), (comes, CREATE)):
        if policy is not None:
            _run(database, database.value(statement, **policy))


def _switch_on(database: Database, *, rollback: bool) -> Json:
    with database.transaction(rollback=rollback):
        database.rows(AS_OWNER)
        rows = [row for row in database.rows(SWITCHES) if not row["row level security"]]
        switched = _unknown(rows)
        for row in switched:
            _run(database, database.value(ENABLE, table=row["table"]))
    return {"switched on": [{"table": r["table"], "policies": r["policies"]} for r in switched]}


def _protect(database: Database, *, rollback: bool) -> Json:
    with database.transaction(rollback=rollback):
        database.rows(AS_OWNER)
        off = [row["table"] for row in database.rows(SWITCHES) if not row["row level security"]]
        cures = [cure for cure in EXPECTED["cures"] if cure["table"] in off]
        for cure in cures:
            _replace(database, cure, cure)
            _run(database, database.value(ENABLE, table=cure["table"]))
    return {"protected": [{"table": cure["table"], "policy": cure["name"]} for cure in cures]}


def _run(database: Database, statement: str) -> None:
    # PostgreSQL quoted the names in it; a percent sign must not read as a parameter.
    database.rows(statement.replace("%", "%%"))


def _unknown(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [row for row in rows if row["table"] not in EXPECTED["known without"]]


def _named(was: Policy | None, should: Policy | None) -> dict[str, str]:
    policy = was or should or {}
    return {"table": policy["table"], "policy": policy["name"]}


def _key(policy: Policy) -> tuple[str, str]:
    return policy["table"], policy["name"]


def _same(one: Policy | None, other: Policy | None) -> bool:
    return _plain(one) == _plain(other)


def _plain(policy: Policy | None) -> Mapping[str, Any] | None:
    """Return a policy without line breaks, which PostgreSQL puts where it likes."""
    return policy and {
        name: " ".join(said.split()) if isinstance(said, str) else said
        for name, said in policy.items()
    }


def _difference(was: Policy | None, should: Policy | None) -> str:
    if was is None:
        return "missing"
    return "not committed" if should is None else "changed"


def _said(policy: Policy | None) -> str:
    if policy is None:
        return "none"
    parts = [f"{clause} {policy[clause]}" for clause in ("using", "check") if policy[clause]]
    return f"for {policy['command'].lower()} {' '.join(parts)}"
