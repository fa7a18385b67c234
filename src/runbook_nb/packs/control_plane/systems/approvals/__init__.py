"""Requests for approval: those that a replayed interrupt has made a second time."""

from runbook_nb.packs.control_plane.systems.approvals.actions import withdraw_repeated
from runbook_nb.packs.control_plane.systems.approvals.probes import repeated, vanished

__all__ = ["repeated", "vanished", "withdraw_repeated"]
