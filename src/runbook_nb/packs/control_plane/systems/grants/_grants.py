"""The grants that are committed, and where the live ones differ."""

import json
from pathlib import Path
from typing import Final

from runbook_nb.probes.connections import Database

Grant = dict[str, str]
EXPECTED: Final = json.loads(Path(__file__).with_name("grants.json").read_text(encoding="utf-8"))
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


def missing_grants(database: Database) -> list[Grant]:
    """Return the committed grants that are not there, the known leaks left out."""
    wanted = {name: EXPECTED[name] for name in ("relations", "roles", "privileges", "functions")}
    closed = {(name, role) for name in EXPECTED["known leaks"] for role in EXPECTED["closed to"]}
    return [
        grant
        for grant in database.rows(MISSING, **wanted)
        if (grant["name"], grant["role"]) not in closed
    ]


ABSENT: Final = """
select name
from (
    select relation::text as name, to_regclass(format('public.%%I', relation))::oid as id
    from unnest(%(relations)s::text[]) as relation
    union all
    select function, to_regprocedure('public.' || function)::oid
    from unnest(%(functions)s::text[]) as function
) as wanted
where id is null
order by name
"""


def absent_objects(database: Database) -> list[str]:
    """Return what grants are committed for and what is not there: tables, views, functions."""
    wanted = {name: EXPECTED[name] for name in ("relations", "functions")}
    return [row["name"] for row in database.rows(ABSENT, **wanted)]
