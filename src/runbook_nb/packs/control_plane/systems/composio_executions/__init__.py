"""What Composio executed for us, by its own log, against what we wrote down."""

from runbook_nb.packs.control_plane.systems.composio_executions.probes import (
    unrecorded,
)

__all__ = ["unrecorded"]
