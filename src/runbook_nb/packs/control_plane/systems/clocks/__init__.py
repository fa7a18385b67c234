"""The clocks of the platform's parts, compared with that of the database.

Every age that a runbook reads is told from two clocks. Where they differ, something fresh looks
old, or something dead looks fresh.
"""

from runbook_nb.packs.control_plane.systems.clocks.probes import (
    difference,
)

__all__ = ["difference"]
