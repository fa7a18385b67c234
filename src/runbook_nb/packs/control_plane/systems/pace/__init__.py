"""How fast the agent calls Composio: a pause before each call, and how often it tries again.

Both stand in the environment of its machines, ``COMPOSIO_PAUSE_S`` and ``COMPOSIO_ATTEMPTS``.
"""

from runbook_nb.packs.control_plane.systems.pace.actions import (
    slow_down,
    stop_retries,
    take_back,
)
from runbook_nb.packs.control_plane.systems.pace.probes import (
    attempts,
    left_behind,
)

__all__ = ["attempts", "left_behind", "slow_down", "stop_retries", "take_back"]
