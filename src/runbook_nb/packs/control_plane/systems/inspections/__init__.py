"""Inspections of the data behind missions' toolkits: under way, ended, lost, and on hold.

What is under way each machine of the agent says itself; how it went the rows say, and Composio's
log says how long the partner took.
"""

from runbook_nb.packs.control_plane.systems.inspections.actions import (
    end_repeated,
    hold_slow,
    inspect_again,
    narrow_wide,
    reset_settings,
    resume_held,
)
from runbook_nb.packs.control_plane.systems.inspections.probes import (
    changes,
    hold_due,
    lost,
    partner_time,
    repeated,
    time_limit,
    too_slow,
    way_time,
    widest,
    workers,
)

__all__ = [
    "changes",
    "end_repeated",
    "hold_due",
    "hold_slow",
    "inspect_again",
    "lost",
    "narrow_wide",
    "partner_time",
    "repeated",
    "reset_settings",
    "resume_held",
    "time_limit",
    "too_slow",
    "way_time",
    "widest",
    "workers",
]
