"""The board of an incident: which steps ran, how they ended, what is due; from the timeline alone.

Whoever draws it sees the same: a second responder, a reopened tab, a restarted kernel.
"""

from runbook_nb.incident.board.clocks import is_stale
from runbook_nb.incident.board.facts import Board, BoardStep, Due, Person, Section, StepState
from runbook_nb.incident.board.fold import BoardFold, board_of

__all__ = [
    "Board",
    "BoardFold",
    "BoardStep",
    "Due",
    "Person",
    "Section",
    "StepState",
    "board_of",
    "is_stale",
]
