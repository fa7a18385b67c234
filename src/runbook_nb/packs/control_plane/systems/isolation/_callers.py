"""Callers that look for what is not theirs, and what each of them finds."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from runbook_nb.errors import NoAnswerError
from runbook_nb.probes.connections import Database

# So many of the newest missions of each tenant are looked for: a row costs a policy, about 100 µs.
MISSIONS: Final = 40
TENANTS: Final = """
with ranked as (
    select id, tenant_id,
           row_number() over (partition by tenant_id order by created_at desc) as place
    from missions
)
select t.id::text as tenant,
       array(select r.id::text from ranked r where r.tenant_id = t.id and r.place <= %(missions)s)
           as missions,
       array(select e.id::text from library_entries e where e.tenant_id = t.id limit %(missions)s)
           as entries
from tenants t
where exists (select from missions m where m.tenant_id = t.id)
order by t.id
"""
# By which column the rows of a relation belong to somebody.
RELATIONS: Final = """
with relation as (
    select c.oid, c.relname::text as name,
           (select a.attname::text from pg_attribute a
            where a.attrelid = c.oid and not a.attisdropped
              and a.attname = any(case c.relname
                  when 'missions' then '{id}'::name[]
                  when 'tenants' then '{id}'
                  else '{mission_id,tenant_id,entry_id}' end)
            order by array_position('{mission_id,tenant_id,entry_id,id}', a.attname::text)
            limit 1) as owned_by
    from pg_class c
    where c.relnamespace = 'public'::regnamespace
      and c.relkind in ('r', 'p', 'v', 'm')
)
select name,
       case when owned_by = 'tenant_id' or name = 'tenants' then 'tenants'
            when owned_by = 'entry_id' then 'entries'
            else 'missions' end as whose,
       format('select %%L as relation, count(*) as rows, count(distinct x.%%I) as owners '
              'from public.%%I x where x.%%I %%s = any(', name, owned_by, name, owned_by,
              case when (select atttypid = 'uuid'::regtype from pg_attribute
                         where attrelid = relation.oid and attname = owned_by)
                   then '' else '::text' end) as asking
from relation
where owned_by is not null
order by name
"""
UNOWNED: Final = """
select c.relname::text as name
from pg_class c
where c.relnamespace = 'public'::regnamespace
  and c.relkind in ('v', 'm')
  and not exists (select from pg_attribute a
                  where a.attrelid = c.oid and a.attname in ('mission_id', 'tenant_id', 'entry_id'))
"""
BECOME: Final = """
select set_config('request.jwt.claims', %(claims)s, true),
       set_config('role', %(role)s, true),
       set_config('row_security', 'on', true),
       set_config('jit', 'off', true)
"""
OWN: Final = "select count(*) from missions where id = any(%(own)s::uuid[])"
# The last event that was stored before the relation, its policies or its grants changed: a
# transaction's number tells what came before what.
SINCE: Final = """
select c.relname::text as relation,
       (select max(t.created_at) from telemetry_events t
        where age(t.xmin) > age(c.xmin)
          and age(t.xmin) > coalesce((select min(age(p.xmin)) from pg_policy p
                                      where p.polrelid = c.oid), 0)) as unchanged_until
from pg_class c
where c.relnamespace = 'public'::regnamespace
  and c.relname = any(%(relations)s::text[])
"""


def tenants_of(database: Database) -> list[dict[str, Any]]:
    """Return the tenants that have missions; raises NoAnswerError with fewer than two."""
    found = database.rows(TENANTS, missions=MISSIONS)
    if len(found) < 2:  # noqa: PLR2004 - one tenant has nobody to be kept from
        message = (
            f"Two tenants with missions are needed to tell them apart; there are {len(found)}."
        )
        raise NoAnswerError(message)
    return found


def found_as(
    viewer: Database,
    relations: Sequence[Mapping[str, Any]],
    *,
    role: str,
    claims: Mapping[str, Any],
    others: Mapping[str, Sequence[str]],
    own: Sequence[str] = (),
) -> dict[str, dict[str, Any]]:
    """Return what a caller sees of others by relation, where it sees anything.

    Raises NoAnswerError where the caller cannot be become, or sees not even its own missions.
    """
    import psycopg

    become = {"claims": json.dumps(claims), "role": role}
    with viewer.transaction(rollback=True):
        try:
            viewer.rows(BECOME, **become)
            seen = viewer.value(OWN, own=list(own)) if own else None
        except psycopg.errors.InsufficientPrivilege as error:
            message = (
                f"The role of 'viewer' cannot look as {role}: {error.diag.message_primary}. "
                f"Grant {role} to it with SET TRUE."
            )
            raise NoAnswerError(message) from error
    if seen == 0:
        message = "A tenant sees none of its own missions, so seeing nobody else's proves nothing."
        raise NoAnswerError(message)
    try:
        rows = _ask(viewer, relations, become, others)
    except psycopg.errors.InsufficientPrivilege:
        # One refusal stops the whole statement, so each relation is asked for by itself.
        rows = [row for one in relations for row in _ask_one(viewer, one, become, others)]
    return {row["relation"]: row for row in rows if row["rows"]}


def _ask(
    viewer: Database,
    relations: Sequence[Mapping[str, Any]],
    become: Mapping[str, str],
    others: Mapping[str, Sequence[str]],
) -> list[dict[str, Any]]:
    # A percent sign in a name must not read as a parameter.
    parts = [
        f"{one['asking'].replace('%', '%%')}%({one['whose']})s{_cast(one['asking'])})"
        for one in relations
    ]
    with viewer.transaction(rollback=True):
        viewer.rows(BECOME, **become)
        return viewer.rows("\nunion all\n".join(parts), **{k: list(v) for k, v in others.items()})


def _ask_one(
    viewer: Database,
    relation: Mapping[str, Any],
    become: Mapping[str, str],
    others: Mapping[str, Sequence[str]],
) -> list[dict[str, Any]]:
    import psycopg

    try:
        return _ask(viewer, [relation], become, others)
    except psycopg.errors.InsufficientPrivilege:
        # Who may not even ask sees nothing.
        return []


def _cast(asking: str) -> str:
    return "::text[]" if "::text = any(" in asking else "::uuid[]"
