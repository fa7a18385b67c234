"""Buckets of Supabase Storage: which anybody may read, and whether evidence is taken."""

from runbook_nb.packs.control_plane.systems.storage_buckets.actions import (
    close,
    take_evidence,
)
from runbook_nb.packs.control_plane.systems.storage_buckets.probes import (
    open_to_anybody,
    refusing,
)

__all__ = ["close", "open_to_anybody", "refusing", "take_evidence"]
