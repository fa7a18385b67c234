"""What became of the missions that were at work since a deploy."""

from datetime import datetime
from typing import Any, Final

from runbook_nb.packs.control_plane.mission_state import ON_PURPOSE
from runbook_nb.probes.calls import Systems

OUTCOMES: Final = f"""
select m.id as mission_id,
       m.status,
       m.updated_at,
       m.status = 'blocked' and not {ON_PURPOSE} as stopped
from missions m
where (m.status = 'in_progress' and m.current_stage = 'Execute')
   or (m.status = 'blocked' and m.current_stage = 'Execute' and m.updated_at >= %(since)s)
   or (m.status = 'completed' and m.completed_at >= %(since)s)
order by stopped desc, m.updated_at desc
"""


def outcomes(systems: Systems, *, since: datetime) -> list[dict[str, Any]]:
    """Return the missions in execution, ended or stopped since then, and which were stopped."""
    return systems.database().rows(OUTCOMES, since=since)
