"""The rights that those who write events need."""

from typing import Any, Final

from runbook_nb.probes.connections import Database

# Who is connected as the agent or the ui, beside the role that both write by.
RIGHTS: Final = """
with writer as (
    select 'service_role' as role
    union
    select usename::text
    from pg_stat_activity
    where application_name like 'agent-%%' or application_name = 'ui'
)
select w.role,
       case
           when not has_schema_privilege(w.role, 'public', 'USAGE') then 'USAGE on schema public'
           when not has_table_privilege(w.role, 'public.telemetry_events', 'INSERT')
               then 'INSERT on telemetry_events'
           else 'BYPASSRLS'
       end as lacks
from writer w
join pg_roles r on r.rolname = w.role
where not has_schema_privilege(w.role, 'public', 'USAGE')
   or not has_table_privilege(w.role, 'public.telemetry_events', 'INSERT')
   or not (r.rolbypassrls or r.rolsuper)
order by w.role
"""
GRANT: Final = """
select format('%%s %%s %%s service_role',
              case when %(give)s then 'grant' else 'revoke' end,
              %(right)s::text,
              case when %(give)s then 'to' else 'from' end)
"""
# What a grant can mend, in the order in which it is needed.
MENDABLE: Final = ("USAGE on schema public", "INSERT on telemetry_events")
ROLE: Final = "service_role"


def lacking(database: Database) -> list[dict[str, Any]]:
    """Return which writer lacks which right."""
    return database.rows(RIGHTS)
