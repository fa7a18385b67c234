"""Agent sessions in the database: which are silent, and how to end those that are dead."""

from runbook_nb.packs.control_plane.systems.sessions.actions import (
    terminate_silent,
)
from runbook_nb.packs.control_plane.systems.sessions.probes import (
    silent,
)

__all__ = ["silent", "terminate_silent"]
