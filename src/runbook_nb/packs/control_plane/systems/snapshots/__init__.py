"""Sealed snapshots of what a breach affects: outside of the database, hashed, signed, not shown.

The setting ``folder`` of ``snapshots`` names where they are kept. It should belong to Security, on
a disk that nobody who may be involved can reach.
"""

from runbook_nb.packs.control_plane.systems.snapshots.actions import (
    seal,
)
from runbook_nb.packs.control_plane.systems.snapshots.probes import (
    altered,
)

__all__ = ["altered", "seal"]
