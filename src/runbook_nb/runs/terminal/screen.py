"""The screen of a terminal: cards as text, with colours where the terminal has them."""

from typing import Final, TextIO

from runbook_nb.incident.board import Board
from runbook_nb.incident.cards import Card
from runbook_nb.incident.cards.describe import face
from runbook_nb.incident.cards.description import COLOURS, Tone
from runbook_nb.text.formatting import one_line
from runbook_nb.text.terminal import writable
from runbook_nb.timeline.events import Asked, Checked, Noted, Verified

_LINE_ANEW: Final = "\r\x1b[2K"  # to the line's beginning, and erase it


class TerminalScreen:
    """A terminal of any width; ``newest`` is the board as it was drawn last."""

    def __init__(self, stream: TextIO) -> None:
        from rich.console import Console

        self.newest: Board | None = None
        self._works = False
        self._console: Console = Console(file=stream, highlight=False, soft_wrap=False)

    def card(self, card: Card) -> None:
        """Print a card, with all that stands folded in a notebook."""
        self._card(card, repr(card))

    def brief(self, card: Card) -> None:
        """Print what a card found; whole where something was decided or done."""
        quiet = isinstance(card.event, Checked | Verified | Asked | Noted)
        self._card(card, card.brief if quiet else repr(card))

    def _card(self, card: Card, text: str) -> None:
        first, *rest = text.splitlines()
        self.print(first, style=COLOURS[face(card.event).tone])
        for line in rest:
            self.print(line)

    def board(self, board: Board) -> None:
        """Keep the board; it is printed when it is asked for."""
        self.newest = board

    def say(self, text: str) -> None:
        """Print a line."""
        self.print(text, style=COLOURS[Tone.WARN])

    def working(self, text: str) -> None:
        """Write a line that the next one takes the place of; nothing where none can be."""
        if self._console.is_terminal and not self._console.is_dumb_terminal:
            shown = writable(one_line(text), self._console.file)[: self._console.width - 1]
            self._write(f"{_LINE_ANEW}{shown}")
            self._works = True

    def rest(self) -> None:
        """Empty that line."""
        if self._works:
            self._works = False
            self._write(_LINE_ANEW)

    def _write(self, text: str) -> None:
        self._console.file.write(text)
        self._console.file.flush()

    def print(self, text: str = "", *, style: str = "") -> None:
        """Print a text, broken between words, each line as far in as its first one."""
        self.rest()
        from rich.padding import Padding
        from rich.text import Text

        for line in text.splitlines() or [""]:
            inner = line.lstrip(" ")
            indent = len(line) - len(inner)
            told = Text(writable(inner, self._console.file), style=style)
            self._console.print(Padding(told, (0, 0, 0, indent), expand=False) if indent else told)
