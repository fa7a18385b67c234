"""How often missions ask Composio what it has: once an hour, for the answer may be kept so long."""

from runbook_nb.packs.control_plane.systems.discovery.probes import (
    repeated,
)

__all__ = ["repeated"]
