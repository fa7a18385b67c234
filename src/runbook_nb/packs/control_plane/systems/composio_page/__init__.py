"""Composio's public status page, which people write: it follows an outage late, or never."""

from runbook_nb.packs.control_plane.systems.composio_page.probes import (
    agreement,
)

__all__ = ["agreement"]
