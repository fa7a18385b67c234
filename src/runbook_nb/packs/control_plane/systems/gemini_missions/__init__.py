"""What missions feel of the model: who is refused, whose text is held back, who uses the most."""

from runbook_nb.packs.control_plane.systems.gemini_missions.actions import park_largest
from runbook_nb.packs.control_plane.systems.gemini_missions.probes import (
    held_back,
    largest_share,
    stopped,
)

__all__ = ["held_back", "largest_share", "park_largest", "stopped"]
