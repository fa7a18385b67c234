"""Events as they are stored: copies of each other, and those that lost their context."""

from runbook_nb.packs.control_plane.systems.event_rows.actions import (
    fill_context,
    remove_copies,
)
from runbook_nb.packs.control_plane.systems.event_rows.probes import (
    bare,
    copies,
)

__all__ = ["bare", "copies", "fill_context", "remove_copies"]
