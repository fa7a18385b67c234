"""The jobs that delete old rows: they are held while rows are evidence."""

from runbook_nb.packs.control_plane.systems.purge.actions import (
    hold,
)

__all__ = ["hold"]
