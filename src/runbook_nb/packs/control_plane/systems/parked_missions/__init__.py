"""Missions that are parked while Composio cannot serve them, and the calls that wait in them.

A parked mission is blocked, with the reason on its Execute stage and a row ``composio_parking``
in its metadata that says how it stood and in which order it goes on. Its calls wait in the state of
its session.
"""

from runbook_nb.packs.control_plane.systems.parked_missions.actions import (
    park_all,
    park_crowding,
    park_failing,
    park_throttled,
    resume,
)
from runbook_nb.packs.control_plane.systems.parked_missions.probes import (
    due,
    exposed,
)

__all__ = [
    "due",
    "exposed",
    "park_all",
    "park_crowding",
    "park_failing",
    "park_throttled",
    "resume",
]
