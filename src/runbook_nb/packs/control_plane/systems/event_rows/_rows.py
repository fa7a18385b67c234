"""Which events are copies of others, and which have no context."""

from typing import Final

# A batch that was sent again carries the same times, or the same fingerprint within a minute.
# Events without any context cannot be told apart, so none of them is called a copy.
# Calls that were really made twice stand twice in Composio's audit as well: they are no copies.
COPIES: Final = """
with event as (
    select t.id, t.mission_id, t.tenant_id, t.agent_name, t.event_type, t.created_at,
           t.correlation_id, md5(t.context::text) as said,
           row_number() over same as place
    from telemetry_events t
    where t.created_at > now() - %(window)s
      and t.mission_id is not null
      and t.context <> '{}'
    window same as (
        partition by t.mission_id, t.event_type, coalesce(t.agent_name, ''),
                     coalesce(t.correlation_id, ''), md5(t.context::text),
                     coalesce(t.payload_sha, ''),
                     case when t.payload_sha is null then t.created_at
                          else date_trunc('minute', t.created_at) end
        order by t.created_at, t.id
    )
)
select e.id, e.mission_id, e.tenant_id, e.event_type, e.created_at,
       coalesce(e.agent_name, 'ui') as source
from event e
where e.place > 1
  and not (e.event_type = 'composio_tool_call'
           and e.place <= (select count(*)
                           from composio_audit_events a
                           where a.mission_id = e.mission_id
                             and a.occurred_at = e.created_at))
"""
COUNT_COPIES: Final = f"""
with copy as ({COPIES})
select source, event_type, count(*) as copies, min(created_at) as "from", max(created_at) as "to",
       count(distinct mission_id) as missions
from copy
group by source, event_type
order by copies desc
"""
# The columns of such a row say what its context should have said; its payload is gone.
COUNT_BARE: Final = """
select coalesce(t.agent_name, 'ui') as source, t.event_type,
       count(*) filter (where t.context = '{}') as bare,
       count(*) as events,
       round(100.0 * count(*) filter (where t.context = '{}') / count(*), 1)::float as "bare %%",
       min(t.created_at) filter (where t.context = '{}') as "from",
       max(t.created_at) filter (where t.context = '{}') as "to"
from telemetry_events t
where t.created_at > now() - %(window)s
  and t.mission_id is not null
group by 1, 2
order by bare desc
"""
