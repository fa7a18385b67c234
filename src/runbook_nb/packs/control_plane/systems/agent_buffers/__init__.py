"""The events that the agent's machines hold in memory, and how they reach the database."""

from runbook_nb.packs.control_plane.systems.agent_buffers.actions import (
    allow_writes,
    flush,
)
from runbook_nb.packs.control_plane.systems.agent_buffers.probes import (
    degraded,
    not_allowed,
)

__all__ = ["allow_writes", "degraded", "flush", "not_allowed"]
