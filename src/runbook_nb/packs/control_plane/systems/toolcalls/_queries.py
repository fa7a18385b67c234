"""What is asked of the audit rows about the missions' tool calls."""

from typing import Final

from runbook_nb.packs.control_plane.systems._database.calls import FAILED, LIMITED, REFUSED

# A run of refusals ends at the next call of that mission and toolkit that was not refused; one
# that has ended is over.
AUTH_RUNS: Final = f"""
with call as (
    select mission_id, toolkit, occurred_at, {REFUSED} as refused
    from composio_audit_events
    where occurred_at > now() - %(window)s
      and occurred_at <= now() + interval '5 seconds'
),
last_taken as (
    select mission_id, toolkit, max(occurred_at) filter (where not refused) as at
    from call
    group by mission_id, toolkit
)
select call.mission_id, call.toolkit, count(*) as in_a_row, max(call.occurred_at) as newest_at
from call
join last_taken
  on last_taken.mission_id is not distinct from call.mission_id
 and last_taken.toolkit is not distinct from call.toolkit
where call.refused
  and (last_taken.at is null or call.occurred_at > last_taken.at)
group by call.mission_id, call.toolkit
order by in_a_row desc
limit 20
"""
EXPIRED: Final = """
select id, mission_id, toolkit_slug, expires_at
from mission_connections
where status = 'approved'
  and expires_at < now()
order by expires_at
"""
RATE_LIMITED: Final = f"""
select toolkit,
       count(*) as hits,
       count(distinct mission_id) as missions,
       min(occurred_at) as first_at,
       max(occurred_at) as newest_at
from composio_audit_events
where occurred_at > now() - %(window)s
  and occurred_at <= now() + interval '5 seconds'
  and {LIMITED}
group by toolkit
order by hits desc
"""
# The newest calls tell how a toolkit is now, however busy the hour is; old ones tell of then. One
# tenant's calls stand for themselves beside those of all.
NEWEST: Final = f"""
with call as (
    select toolkit, tenant_id, occurred_at, {FAILED} as failed
    from composio_audit_events
    where occurred_at > now() - %(within)s
      and occurred_at <= now() + interval '5 seconds'
),
placed as (
    select toolkit, null::uuid as tenant_id, failed, occurred_at,
           row_number() over (partition by toolkit order by occurred_at desc) as place
    from call
    union all
    select toolkit, tenant_id, failed, occurred_at,
           row_number() over (partition by toolkit, tenant_id order by occurred_at desc)
    from call
    where tenant_id is not null
)
select toolkit,
       coalesce(tenant_id::text, 'all tenants') as tenant,
       count(*) as calls,
       count(*) filter (where failed) as errors,
       round(100.0 * count(*) filter (where failed) / count(*), 1)::float as percent,
       max(occurred_at) as newest_at
from placed
where place <= %(calls)s
group by toolkit, tenant_id
having count(*) >= %(least)s
order by count(*) filter (where failed) >= %(failures)s desc, percent desc, toolkit, tenant
limit 40
"""
# A partner is slow for whoever waits for it, and no error says so.
LATENCY: Final = """
select toolkit,
       count(*) as calls,
       round(percentile_cont(0.95) within group (order by latency_ms)) as p95_ms,
       max(latency_ms) as max_ms
from composio_audit_events
where occurred_at > now() - %(window)s
  and occurred_at <= now() + interval '5 seconds'
  and latency_ms is not null
group by toolkit
having count(*) >= %(least)s
order by p95_ms desc
"""
