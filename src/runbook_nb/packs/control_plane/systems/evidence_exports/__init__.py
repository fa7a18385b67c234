"""Who takes evidence out: how much against their own 30 days, and how they are stopped."""

from runbook_nb.packs.control_plane.systems.evidence_exports.actions import (
    close,
    stop_actors,
)
from runbook_nb.packs.control_plane.systems.evidence_exports.probes import (
    by_stopped,
    unusual,
)

__all__ = ["by_stopped", "close", "stop_actors", "unusual"]
