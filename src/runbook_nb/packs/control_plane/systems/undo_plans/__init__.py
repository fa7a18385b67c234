"""Undo plans of missions that are about to change something, or already do."""

from runbook_nb.packs.control_plane.systems.undo_plans.actions import hold_missions
from runbook_nb.packs.control_plane.systems.undo_plans.probes import no_way_back

__all__ = ["hold_missions", "no_way_back"]
