"""The screen of a run: cards in the cell that runs, and one board that is drawn anew in place."""

import sys
from typing import Protocol

from runbook_nb.incident.board import Board
from runbook_nb.incident.cards import BoardCard, Card


class Screen(Protocol):
    """Where a run shows what a person must see."""

    def card(self, card: Card) -> None:
        """Show a card now, before the cell has ended."""

    def board(self, board: Board) -> None:
        """Show the board, in the place of the one before."""

    def say(self, text: str) -> None:
        """Say why a cell takes time."""


class NotebookScreen:
    """The notebook whose kernel this is.

    The board stands under the cell that first drew it; an executed copy keeps the newest.
    """

    def __init__(self, *, attended: bool) -> None:
        self._attended, self._drawn = attended, False

    def card(self, card: Card) -> None:
        """Show a card below the cell that runs."""
        from IPython.display import display

        display(card)

    def board(self, board: Board) -> None:
        """Draw the board where it stands, or here if it stands nowhere yet."""
        from IPython.display import display, update_display

        card = BoardCard(board, attended=self._attended)
        place = f"board-{board.incident}-{board.runbook}"
        if self._drawn:
            update_display(card, display_id=place)
        else:
            display(card, display_id=place)
            self._drawn = True

    def say(self, text: str) -> None:
        """Print a line below the cell that runs."""
        sys.stdout.write(f"{text}\n")
