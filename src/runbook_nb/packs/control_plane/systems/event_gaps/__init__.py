"""Gaps in the past of telemetry: where they are, and what other records can fill them."""

from runbook_nb.packs.control_plane.systems.event_gaps.actions import (
    backfill,
)
from runbook_nb.packs.control_plane.systems.event_gaps.probes import (
    unseen_calls,
)

__all__ = ["backfill", "unseen_calls"]
