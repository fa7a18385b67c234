"""The screen of a run: cards in the cell that runs, and one board that is drawn anew in place."""

import sys
from typing import TYPE_CHECKING, Protocol

from runbook_nb.incident.board import Board
from runbook_nb.incident.cards import BoardCard, Card

if TYPE_CHECKING:
    from IPython.core.display_functions import DisplayHandle


class Screen(Protocol):
    """Where a run shows what a person must see."""

    def card(self, card: Card) -> None:
        """Show a card now, before the cell has ended."""

    def board(self, board: Board) -> None:
        """Show the board, in the place of the one before."""

    def say(self, text: str) -> None:
        """Say a line that stays."""

    def working(self, text: str) -> None:
        """Say what a step does now, in the place of what it said before."""

    def rest(self) -> None:
        """Take away what a step said that it does."""


class NotebookScreen:
    """The notebook whose kernel this is.

    The board stands under the cell that first drew it; an executed copy keeps the newest.
    """

    def __init__(self, *, attended: bool) -> None:
        self._attended, self._drawn = attended, False
        self._line: DisplayHandle | None = None

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

    def working(self, text: str) -> None:
        """Show a line below the cell that runs; nobody watches an unattended one."""
        if not self._attended:
            return
        from IPython.display import display

        line = {"text/plain": text}
        if self._line is None:
            self._line = display(line, raw=True, display_id=True)
        else:
            self._line.update(line, raw=True)

    def rest(self) -> None:
        """Empty that line; its place stays."""
        if self._line is not None:
            self._line.update({"text/plain": ""}, raw=True)
            self._line = None
