"""Buckets of Supabase Storage that hold customers' objects and that anybody may read."""

from runbook_nb.packs.control_plane.systems.storage_buckets.actions import (
    close,
)
from runbook_nb.packs.control_plane.systems.storage_buckets.probes import (
    open_to_anybody,
)

__all__ = ["close", "open_to_anybody"]
