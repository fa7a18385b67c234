"""What is read of discovery."""

from typing import Final

from runbook_nb.probes.calls import Reading, Systems, probe

# The platform keeps an answer for 60 minutes; one more may come of a restart.
MOST: Final = 2
REPEATED: Final = """
select t.mission_id::text, m.title, count(*) as discoveries
from telemetry_events t
join missions m on m.id = t.mission_id
where t.event_type = 'composio_discovery'
  and t.created_at > now() - interval '1 hour'
group by t.mission_id, m.title
having count(*) > %(most)s
order by discoveries desc
"""


@probe(unit="missions")
def repeated(systems: Systems) -> Reading:
    """Count the missions that asked for toolkits more than twice within an hour."""
    rows = systems.database().rows(REPEATED, most=MOST)
    return Reading(value=len(rows), detail=rows)
