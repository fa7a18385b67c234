"""Composio itself: does it answer, and what comes back instead."""

from runbook_nb.packs.control_plane.systems.composio.probes import (
    answers,
)

__all__ = ["answers"]
