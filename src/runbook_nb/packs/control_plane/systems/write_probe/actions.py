"""What each caller may change, tried and rolled back."""

import json
from collections.abc import Mapping
from typing import Any, Final

from runbook_nb.probes.calls import Systems, action
from runbook_nb.probes.connections import Database
from runbook_nb.text.values import Json

# The policies tell callers apart by role and claims; tenant A is the one with most missions.
CALLERS: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "anon": ("anon", ()),
    "tenant A": ("authenticated", ()),
    "tenant B": ("authenticated", ()),
    "governance": ("authenticated", ("governance",)),
    "analytics": ("authenticated", ("analytics",)),
    "service": ("authenticated", ("service",)),
}
TENANTS: Final = """
select t.id::text as id
from tenants t
join missions m on m.tenant_id = t.id
group by t.id
order by count(*) desc
limit 2
"""
# A row of tenant A that is no draft's, found by the owner or the service, whom no policy stops.
TABLES: Final = """
with told_apart as (
    select c.relname::text as name,
           min(a.attname::text) filter (where a.attname in ('mission_id', 'tenant_id')) as owner,
           min(a.attname::text) filter (where a.attnum = 1) as first
    from pg_class c
    join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    where c.relnamespace = 'public'::regnamespace
      and c.relkind = 'r'
    group by c.oid, c.relname
)
select name,
       format('select x.ctid::text as place from public.%%I x where %%s limit 1', name, case owner
           when 'mission_id' then format(
               'x.mission_id in (select id from public.missions where status <> ''draft'' '
               'and tenant_id = %%L)', %(tenant)s::text)
           when 'tenant_id' then format('x.tenant_id = %%L', %(tenant)s::text)
           else 'true'
       end) as choosing,
       format('update public.%%I set %%I = %%I where ctid = ', name, first, first)
           || '%%(place)s::tid returning 1 as changed' as trying
from told_apart
order by name
"""
BECOME: Final = """
select set_config('request.jwt.claims', %(claims)s, true),
       set_config('role', %(role)s, true)
"""


@action(timeout_s=60, repeatable=True, contained=True)
def writes(systems: Systems) -> Json:
    """Try as each caller to change one row of tenant A in each table, and roll each trial back."""
    return _tried(systems.database())


@writes.rehearsal
def _(systems: Systems) -> Json:
    return _tried(systems.database())


def _tried(database: Database) -> list[dict[str, str]]:
    tenants = [row["id"] for row in database.rows(TENANTS)]
    rows = []
    with database.transaction(rollback=True):
        database.rows("select set_config('lock_timeout', '1s', true)")
        for table in database.rows(TABLES, tenant=tenants[0]):
            found = database.rows(table["choosing"].replace("%", "%%"))
            if found:
                tried = {
                    caller: _try(database, table["trying"], found[0]["place"], caller, tenants)
                    for caller in CALLERS
                }
                rows.append({"Table": table["name"], **tried})
    return _odd_first(rows)


def _odd_first(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    """Put the tables on top that do not answer as most do; a card shows only the first 20."""
    answers = [tuple(row[caller] for caller in CALLERS) for row in rows]
    order = sorted(range(len(rows)), key=lambda place: answers.count(answers[place]))
    return [rows[place] for place in order]


def _try(database: Database, statement: str, place: str, caller: str, tenants: list[str]) -> str:
    """Return ``may``, ``may not``, ``refused``, or the SQLSTATE of another error."""
    import psycopg

    role, roles = CALLERS[caller]
    claims: dict[str, Any] = {"role": role, "roles": list(roles)}
    if caller.startswith("tenant"):
        claims["tenant_id"] = tenants[0] if caller == "tenant A" else tenants[-1]
    try:
        with database.transaction(rollback=True):
            database.rows(BECOME, claims=json.dumps(claims), role=role)
            return "may" if database.rows(statement, place=place) else "may not"
    except psycopg.errors.InsufficientPrivilege:
        return "refused"
    except psycopg.Error as error:
        return f"error {error.sqlstate}"
