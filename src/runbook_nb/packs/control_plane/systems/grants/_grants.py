"""The grants that are committed, and where the live ones differ."""

import json
from collections.abc import Iterable, Sequence
from itertools import product
from pathlib import Path
from typing import Any, Final

from runbook_nb.probes.baseline import Difference, Items, Part
from runbook_nb.probes.calls import Systems
from runbook_nb.probes.connections import Database

Grant = dict[str, str]
EVERYBODY: Final = "public"
# The API's roles: each caller comes in as one of them.
ROLES: Final = ("anon", "authenticated", "service_role")
_COMMITTED: Final = json.loads(Path(__file__).with_name("grants.json").read_text(encoding="utf-8"))
# A privilege held through PUBLIC counts as held; one given to PUBLIC on a table is an excess.
HELD: Final = """
with wanted as (
    select w.*,
           case kind
               when 'table' then to_regclass(format('public.%%I', name))::oid
               when 'function' then to_regprocedure('public.' || name)::oid
               else 'public'::regnamespace::oid
           end as id
    from jsonb_to_recordset(%(wanted)s::jsonb)
         as w (kind text, name text, role text, privilege text)
)
select kind, name, role, privilege, id is not null as there,
       coalesce(case kind
           when 'table' then has_table_privilege(role, id, privilege)
           when 'function' then has_function_privilege(role, id, privilege)
           else has_schema_privilege(role, id, privilege)
       end, false) as held
from wanted
order by kind, name, role, privilege
"""
TO_EVERYBODY: Final = """
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
RELATIONS: Final = """
select relname::text as name
from pg_class
where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v', 'm')
order by relname
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


def missing_grants(database: Database, committed: Items) -> list[Grant]:
    """Return the committed grants that are not there; of an absent object nothing is known."""
    return [
        _grant(row) for row in _held(database, grants_of(committed)) if row["there"] > row["held"]
    ]


def excess_grants(database: Database, committed: Items) -> list[Grant]:
    """Return what is given to everybody on a table and is not committed."""
    known = {said(grant) for grant in grants_of(committed)}
    return [row for row in database.rows(TO_EVERYBODY) if said(row) not in known]


def absent_objects(database: Database, committed: Items) -> list[str]:
    """Return what grants are committed for and what is not there: tables, views, functions."""
    rows = _held(database, grants_of(committed))
    return sorted({row["name"] for row in rows if not row["there"]})


def grants_of(items: Items) -> list[Grant]:
    """Return every single grant of a part's items: ``table missions to anon``, privileges."""
    return [
        {"kind": kind, "name": name, "role": role, "privilege": privilege}
        for item, privileges in items.items()
        for kind, name, _to, role in [_words(item)]
        for privilege in privileges
    ]


def said(grant: Grant) -> str:
    """Say a grant as a responder would."""
    return "{privilege} on {kind} {name} to {role}".format_map(grant)


def _words(item: str) -> Sequence[str]:
    kind, _, rest = item.partition(" ")
    name, to, role = rest.rpartition(" to ")
    return kind, name, to, role


def _items(grants: Iterable[Grant]) -> dict[str, list[str]]:
    items: dict[str, list[str]] = {}
    for grant in grants:
        items.setdefault("{kind} {name} to {role}".format_map(grant), []).append(grant["privilege"])
    return {item: sorted(privileges) for item, privileges in items.items()}


def _every_grant(
    relations: Iterable[str], *, functions: Iterable[str], privileges: Iterable[str]
) -> list[Grant]:
    """Return all that the API's roles can be given on these objects."""
    asked = [
        *(("table", *each) for each in product(relations, ROLES, privileges)),
        *(("function", *each) for each in product(functions, ROLES, ("EXECUTE",))),
        *(("schema", "public", role, "USAGE") for role in ROLES),
    ]
    return [dict(zip(("kind", "name", "role", "privilege"), each, strict=True)) for each in asked]


def _brought() -> Items:
    """Return what the pack brings: every grant, but those that a closed leak takes away."""
    closed = {*product(_COMMITTED["known leaks"], _COMMITTED["closed to"])}
    grants = _every_grant(
        _COMMITTED["relations"],
        functions=_COMMITTED["functions"],
        privileges=_COMMITTED["privileges"],
    )
    return _items(grant for grant in grants if (grant["name"], grant["role"]) not in closed)


def _take(systems: Systems) -> Items:
    database = systems.database()
    asked = _every_grant(
        [row["name"] for row in database.rows(RELATIONS)],
        functions=_COMMITTED["functions"],
        privileges=_COMMITTED["privileges"],
    )
    held = [_grant(row) for row in _held(database, asked) if row["held"]]
    return _items([*held, *database.rows(TO_EVERYBODY)])


def _differing(systems: Systems, committed: Items) -> list[Difference]:
    database = systems.database()
    missing = _items(missing_grants(database, committed))
    excess = _items(excess_grants(database, committed))
    found = {item: sorted({*committed[item]} - {*gone}) for item, gone in missing.items()}
    found |= {item: sorted({*committed.get(item, ()), *more}) for item, more in excess.items()}
    return [
        Difference(item=item, committed=committed.get(item), found=privileges or None)
        for item, privileges in sorted(found.items())
    ]


def _bypassing(systems: Systems) -> dict[str, str]:
    rows = systems.database().rows(BYPASSING)
    return {row["Role"]: "superuser" if row["superuser"] else "bypasses" for row in rows}


def _roles_beyond(systems: Systems, committed: Items) -> list[Difference]:
    return [
        Difference(item=role, committed=None, found=how)
        for role, how in _bypassing(systems).items()
        if role not in committed
    ]


def _held(database: Database, grants: Sequence[Grant]) -> list[dict[str, Any]]:
    return database.rows(HELD, wanted=json.dumps(grants))


def _grant(row: dict[str, Any]) -> Grant:
    return {name: row[name] for name in ("kind", "name", "role", "privilege")}


GRANTS: Final = Part(
    name="grants",
    about="What anon, authenticated and service_role may do with which table, view and function.",
    take=_take,
    differing=_differing,
    brought=_brought(),
)
BYPASSING_ROLES: Final = Part(
    name="bypassing_roles",
    about="Roles that no policy holds: superusers, and those that bypass row level security.",
    take=_bypassing,
    differing=_roles_beyond,
    brought=dict.fromkeys(_COMMITTED["bypassing"], "bypasses"),
)
