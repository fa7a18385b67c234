"""The agent service: its health, and its machines through Fly's Machines API."""

from runbook_nb.packs.control_plane.systems.agent.actions import (
    restart,
    scale_out,
    set_lag_decimals,
)
from runbook_nb.packs.control_plane.systems.agent.probes import (
    health,
    missions_per_machine,
)

__all__ = ["health", "missions_per_machine", "restart", "scale_out", "set_lag_decimals"]
