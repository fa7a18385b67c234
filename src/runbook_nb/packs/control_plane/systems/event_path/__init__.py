"""The way of an event into its table: who may write it, and what takes it away again."""

from runbook_nb.packs.control_plane.systems.event_path.actions import (
    hold_purge,
    open_path,
    restore_rights,
)
from runbook_nb.packs.control_plane.systems.event_path.probes import (
    purge_reach,
    refused,
    taking,
)

__all__ = ["hold_purge", "open_path", "purge_reach", "refused", "restore_rights", "taking"]
