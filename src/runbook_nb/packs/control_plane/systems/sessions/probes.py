"""What is read of the agent's sessions."""

from datetime import timedelta
from typing import Final

from runbook_nb.packs.control_plane.mission_state import WAITING
from runbook_nb.probes.calls import Reading, Systems, probe

SILENT: Final = f"""
select s.id,
       s.mission_id,
       s.agent_name,
       m.status as mission_status,
       s.last_heartbeat_at
from mission_sessions s
join missions m on m.id = s.mission_id
where s.status = 'active'
  and least(s.last_heartbeat_at, s.updated_at) < now() - %(older_than)s
  and (m.status in ('completed', 'archived') or not {WAITING})
order by s.last_heartbeat_at
"""


@probe(unit="sessions")
def silent(systems: Systems, *, older_than: timedelta) -> Reading:
    """Count active sessions whose last heartbeat is older than this.

    Those of missions that wait for a person, or were stopped on purpose, are not silent: they rest.
    """
    rows = systems.database().rows(SILENT, older_than=older_than)
    return Reading(value=len(rows), detail=rows)
