"""Tabs that watch a mission: which hold an old state, and what a reload brings."""

from runbook_nb.packs.control_plane.systems.workspace_tabs.actions import close_behind
from runbook_nb.packs.control_plane.systems.workspace_tabs.probes import behind, wrong_reloads

__all__ = ["behind", "close_behind", "wrong_reloads"]
