"""The platform's feature flags, wherever they are kept.

The flags stand in the table ``feature_flags`` where there is one. Without it the only switches are
the three that the code reads from the environment of the agent's machines.
"""

from runbook_nb.packs.control_plane.systems.flags.actions import (
    turn_off,
)
from runbook_nb.packs.control_plane.systems.flags.probes import (
    error_share,
)

__all__ = ["error_share", "turn_off"]
