"""The views that show more than the policies beneath them."""

from typing import Any, Final

from runbook_nb.packs.control_plane.systems._database.known_leaks import KNOWN_LEAKS

# The dashboards ask for the caller's claims themselves.
REVIEWED: Final = (
    "adoption_funnel",
    "agent_performance",
    "executive_summary",
    "governance_insights",
    "operations_health",
)
# They are known, and Option F of rls_policy_debugging closes them.
KNOWN: Final = KNOWN_LEAKS
OPEN: Final = """
with view as (
    select c.oid,
           c.relname::text as name,
           c.relkind,
           coalesce((select option_value::boolean
                     from pg_options_to_table(c.reloptions)
                     where option_name = 'security_invoker'), false) as asks_as_caller,
           array(select role
                 from unnest('{anon,authenticated}'::text[]) as role
                 where has_table_privilege(role, c.oid, 'SELECT')) as readers,
           array(select distinct base.relname::text
                 from pg_rewrite r
                 join pg_depend d on d.classid = 'pg_rewrite'::regclass and d.objid = r.oid
                 join pg_class base on base.oid = d.refobjid
                      and d.refclassid = 'pg_class'::regclass
                      and base.oid <> c.oid
                      and (base.relrowsecurity or base.relkind in ('v', 'm'))
                 where r.ev_class = c.oid) as beneath,
           exists (select
                   from pg_rewrite r
                   join pg_depend d on d.classid = 'pg_rewrite'::regclass and d.objid = r.oid
                   join pg_class base on base.oid = d.refobjid
                        and d.refclassid = 'pg_class'::regclass
                   where r.ev_class = c.oid and base.relkind = 'm' and base.oid <> c.oid) as over_mv
    from pg_class c
    where c.relnamespace = 'public'::regnamespace
      and c.relkind in ('v', 'm')
)
select name as view,
       case relkind when 'm' then 'materialized view' else 'view' end as kind,
       array_to_string(readers, ', ') as "open to",
       array_to_string(beneath, ', ') as "shows rows of",
       case when relkind = 'm' or over_mv then 'revoke' else 'security_invoker' end as cure
from view
where readers <> '{}'
  and beneath <> '{}'
  and not asks_as_caller
order by name
"""


def standing_of(row: dict[str, Any]) -> str:
    """Say how an open view stands: reviewed, a known leak, or a leak."""
    if row["view"] in REVIEWED:
        return "filters by claims"
    return "known leak" if row["view"] in KNOWN else "leaks"
