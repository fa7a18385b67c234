"""Undos that people asked for: what became of each, as the customer's own tool shows it.

The platform reports success whatever happened, so no event and no row counts as proof here. Each
step of an undo is read at the tool that it changed.
"""

from runbook_nb.packs.control_plane.systems.undos.actions import finish, record_residual
from runbook_nb.packs.control_plane.systems.undos.probes import (
    changed_since,
    cut_off,
    half_run,
    latency,
    not_undone,
    one_way,
    success,
    too_late,
    unended,
    unwritten,
    without_plan,
)

__all__ = [
    "changed_since",
    "cut_off",
    "finish",
    "half_run",
    "latency",
    "not_undone",
    "one_way",
    "record_residual",
    "success",
    "too_late",
    "unended",
    "unwritten",
    "without_plan",
]
