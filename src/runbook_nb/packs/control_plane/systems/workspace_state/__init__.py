"""The state of workspaces: what a session remembers of its mission, against what the tables hold.

The tables win: a stage, a brief, a play and an approval are written there first. Which of two
states is newer is told by their revision and never by a clock: each heartbeat touches the row.
"""

from runbook_nb.packs.control_plane.systems.workspace_state.actions import move_out, rebuild
from runbook_nb.packs.control_plane.systems.workspace_state.probes import (
    behind,
    foreign,
    largest,
    lost,
    rolled_back,
)

__all__ = ["behind", "foreign", "largest", "lost", "move_out", "rebuild", "rolled_back"]
