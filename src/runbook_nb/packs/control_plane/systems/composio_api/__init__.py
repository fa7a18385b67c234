"""Composio's API as it answers us now: whether, how fast, and with the whole catalogue."""

from runbook_nb.packs.control_plane.systems.composio_api.probes import (
    answer_time,
    missing_toolkits,
    unanswered,
)

__all__ = ["answer_time", "missing_toolkits", "unanswered"]
