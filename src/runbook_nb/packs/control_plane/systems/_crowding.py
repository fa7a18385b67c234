"""Who crowds a limit that others need too."""

from datetime import timedelta
from typing import Any, Final

from runbook_nb.probes.calls import Systems

# A mission that takes more than half crowds the others; a handful of calls tells nothing.
CALLS: Final = """
with call as (
    select a.mission_id, a.status
    from composio_audit_events a
    join missions m on m.id = a.mission_id and m.status = 'in_progress'
    where a.occurred_at > now() - %(window)s
      and not exists (
          select from mission_metadata r
          where r.mission_id = a.mission_id
            and r.metadata_key = 'composio_resumed'
            and a.occurred_at <= (r.metadata_value ->> 'resumed_at')::timestamptz)
)
select m.id::text as mission_id, m.title, m.priority, t.slug as tenant, count(*) as calls,
       round(100.0 * count(*) / sum(count(*)) over (), 1)::float as percent,
       count(*) filter (where call.status = 'rate_limit') as refused,
       sum(count(*) filter (where call.status = 'rate_limit')) over () as refused_in_all
from call
join missions m on m.id = call.mission_id
join tenants t on t.id = m.tenant_id
group by m.id, m.title, m.priority, t.slug
order by calls desc, m.id
limit 1
"""


def busiest(systems: Systems, *, window: timedelta) -> dict[str, Any] | None:
    """Return the mission with the most calls while others are refused; None where none is."""
    rows = systems.database().rows(CALLS, window=window)
    if not rows:
        return None
    found = rows[0]
    others = int(found["refused_in_all"]) - found["refused"]
    return {**found, "others refused": others} if others > 0 else None
