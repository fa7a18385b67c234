"""The limits on our calls: Composio's own, a toolkit's, an account's, and what is left of them."""

from runbook_nb.packs.control_plane.systems.composio_limits.probes import (
    headroom,
)

__all__ = ["headroom"]
