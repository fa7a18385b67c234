"""The incidents that are declared and not resolved."""

from typing import Final

OPEN: Final = """
select o.context ->> 'bd_issue' as incident,
       o.context ->> 'component' as component,
       o.context ->> 'severity' as severity,
       o.created_at,
       round(extract(epoch from now() - o.created_at) / 60, 1) as open_min
from telemetry_events o
where o.event_type = 'incident_opened'
  and o.mission_id is null
  and not exists (
      select from telemetry_events r
      where r.event_type = 'incident_resolved'
        and r.mission_id is null
        and r.context ->> 'bd_issue' = o.context ->> 'bd_issue'
        and r.created_at >= o.created_at)
order by o.created_at
"""
