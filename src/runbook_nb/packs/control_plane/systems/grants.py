"""Grants on the public schema, and who bypasses row level security, as committed or not.

``grants.json`` holds what is committed: which callers may do what with which tables, views and
helper functions. A grant that is missing refuses a caller before any policy is asked.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from runbook_nb.probes.calls import Reading, Systems, action, probe
from runbook_nb.probes.connections import Database
from runbook_nb.text.values import Json

Grant = dict[str, str]

EXPECTED: Final = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))

AS_OWNER: Final = """
select set_config('lock_timeout', '3s', true),
       set_config('role', (select pg_get_userbyid(relowner)
                           from pg_class where oid = 'public.missions'::regclass), true)
"""

# A privilege held through PUBLIC counts as held; one given to PUBLIC on a table is an excess.
MISSING: Final = """
with wanted as (
    select 'table' as kind, relation::text as name, role, privilege,
           to_regclass(format('public.%%I', relation))::oid as id
    from unnest(%(relations)s::text[]) as relation,
         unnest(%(roles)s::text[]) as role,
         unnest(%(privileges)s::text[]) as privilege
    union all
    select 'function', function, role, 'EXECUTE', to_regprocedure('public.' || function)::oid
    from unnest(%(functions)s::text[]) as function, unnest(%(roles)s::text[]) as role
    union all
    select 'schema', 'public', role, 'USAGE', 'public'::regnamespace::oid
    from unnest(%(roles)s::text[]) as role
)
select kind, name, role, privilege
from wanted
where id is not null
  and not case kind
      when 'table' then has_table_privilege(role, id, privilege)
      when 'function' then has_function_privilege(role, id, privilege)
      else has_schema_privilege(role, id, privilege)
  end
order by kind, name, role, privilege
"""

EXCESS: Final = """
select 'table' as kind,
       c.relname::text as name,
       'public' as role,
       acl.privilege_type as privilege
from pg_class c
cross join aclexplode(c.relacl) as acl
where c.relnamespace = 'public'::regnamespace
  and c.relkind in ('r', 'v', 'm')
  and acl.grantee = 0
order by c.relname, acl.privilege_type
"""

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

BYPASSING: Final = """
select rolname::text as "Role",
       rolsuper as superuser,
       rolbypassrls as "bypasses row level security",
       rolcanlogin as "may log in"
from pg_roles
where (rolsuper or rolbypassrls)
  and rolname !~ '^pg_'
order by rolname
"""


@probe(unit="grants")
def drift(systems: Systems) -> Reading:
    """Count grants that callers lack, or that are given to everybody, against what is committed.

    A grant that a closed leak took away is not missed.
    """
    database = systems.database()
    rows = [
        *({"Grant": _said(grant), "differs": "missing"} for grant in _missing(database)),
        *({"Grant": _said(grant), "differs": "not committed"} for grant in database.rows(EXCESS)),
    ]
    return Reading(value=len(rows), detail=rows)


@action(timeout_s=30, repeatable=True)
def restore(systems: Systems) -> Json:
    """Give the grants that are missing and take those that are too many, in one transaction."""
    return _restore(systems.database(), rollback=False)


@restore.rehearsal
def _(systems: Systems) -> Json:
    return _restore(systems.database(), rollback=True)


@restore.undo
def _(systems: Systems, result: Json) -> Json:
    database = systems.database()
    with database.transaction():
        database.rows(AS_OWNER)
        _change(database, result["granted"], give=False)
        _change(database, result["revoked"], give=True)
    return {"revoked again": result["granted"], "granted again": result["revoked"]}


@probe(unit="roles")
def bypassing(systems: Systems) -> Reading:
    """Count roles that bypass row level security or are superusers, beyond the committed ones."""
    rows = systems.database().rows(BYPASSING)
    for row in rows:
        row["verdict"] = "committed" if row["Role"] in EXPECTED["bypassing"] else "not committed"
    return Reading(value=sum(row["verdict"] != "committed" for row in rows), detail=rows)


def _said(grant: Grant) -> str:
    return "{privilege} on {kind} {name} to {role}".format_map(grant)


def _missing(database: Database) -> list[Grant]:
    wanted = {name: EXPECTED[name] for name in ("relations", "roles", "privileges", "functions")}
    closed = {(name, role) for name in EXPECTED["known leaks"] for role in EXPECTED["closed to"]}
    return [
        grant
        for grant in database.rows(MISSING, **wanted)
        if (grant["name"], grant["role"]) not in closed
    ]


def _restore(database: Database, *, rollback: bool) -> Json:
    with database.transaction(rollback=rollback):
        database.rows(AS_OWNER)
        missing, excess = _missing(database), database.rows(EXCESS)
        _change(database, missing, give=True)
        _change(database, excess, give=False)
        left = len(_missing(database)) + len(database.rows(EXCESS))
    return {"granted": missing, "revoked": excess, "grants that differ after": left}


def _change(database: Database, grants: Sequence[dict[str, Any]], *, give: bool) -> None:
    for grant in grants:
        # PostgreSQL quoted the names in it; a percent sign must not read as a parameter.
        statement = database.value(CHANGE, give=give, **grant)
        database.rows(statement.replace("%", "%%"))
