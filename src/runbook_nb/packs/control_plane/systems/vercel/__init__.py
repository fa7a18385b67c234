"""The user interface at Vercel: what is live, what it can go back to, and how to go back.

A rollback points the production domains at an earlier deployment; nothing is built. Its settings
are those of its build, so later changes of environment variables do not apply to it.
"""

from runbook_nb.packs.control_plane.systems.vercel.actions import (
    roll_back,
)
from runbook_nb.packs.control_plane.systems.vercel.probes import (
    ways_back,
)

__all__ = ["roll_back", "ways_back"]
