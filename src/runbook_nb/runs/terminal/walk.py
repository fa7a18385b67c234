"""Walk: a person goes through a runbook step by step, in any order, and may leave at any moment."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from runbook_nb.errors import IncidentStateError, RunbookError
from runbook_nb.incident import RunStopped
from runbook_nb.incident.board import Board, BoardStep
from runbook_nb.incident.cards import Card
from runbook_nb.incident.cards.board_card import board_head, board_text
from runbook_nb.incident.cards.description import COLOURS, Tone
from runbook_nb.runbook.document import Document
from runbook_nb.runbook.steps import Step
from runbook_nb.runs.terminal.screen import TerminalScreen
from runbook_nb.runs.terminal.session import Session
from runbook_nb.text.formatting import block, counted, one_line

_KEYS: Final = (
    ("Enter", "runs this step"),
    ("a", "runs all checks up to the next step that is none"),
    ("s", "passes over this step for now"),
    ("/words", "goes to a step by a part of its title, also one that has run"),
    ("e", "shows the whole of the last card: what was asked, and the answer"),
    ("b", "shows the board: every step, the clocks, who did what"),
    ("n words", "adds a note to the timeline"),
    ("q", "leaves; the same command goes on from here"),
)
_SHORT: Final = "Enter runs it, a all checks, s skips it, q leaves, ? says more: "


@dataclass(kw_only=True)
class Walk:
    """One walk through a session: what waits comes from the timeline, not from memory.

    ``passed`` are steps that the person passed over; they come again at the end.
    """

    session: Session
    screen: TerminalScreen
    ask: Callable[[str], str]
    _passed: set[tuple[str, str]] = field(default_factory=set)
    _shown: Step | None = None
    _last: Card | None = None

    def go(self) -> bool:
        """Go through all steps; returns whether nothing is left to run."""
        self.screen.print(board_head(self._board))
        while (step := self._next()) is not None:
            if not self._at(step):
                return False
        self.screen.print(board_head(self._board))
        return True

    def _at(self, step: Step) -> bool:
        """Show a step and do what the person says; False to leave."""
        if step is not self._shown:
            self._show(step)
        try:
            said = self.ask(_SHORT).strip()
        except (EOFError, KeyboardInterrupt):
            self.screen.print()
            return False
        if said.startswith("/"):
            self._go_to(said[1:])
            return True
        key, _, words = said.partition(" ")
        does = self._does.get(key.casefold(), self._help)
        return does(step, words)

    @property
    def _does(self) -> dict[str, Callable[[Step, str], bool]]:
        """What each key does; False leaves."""
        return {
            "": lambda step, _words: self._run(step),
            "a": lambda step, _words: self._run_checks(step),
            "s": self._pass_over,
            "e": self._show_last,
            "b": self._show_board,
            "n": self._note,
            "q": lambda _step, _words: False,
        }

    def _run(self, step: Step) -> bool:
        """Run a step; False where the run has come to its end."""
        self._shown = None
        try:
            card = self.session.run(step)
        except RunStopped as stopped:
            self.screen.say(f"The runbook ends here: {stopped}")
            return False
        except IncidentStateError as error:
            self.screen.say(str(error))
            return False
        except KeyboardInterrupt:
            self.screen.say("Interrupted. What was on its way stands on the board.")
        except EOFError:
            return False
        except RunbookError as error:
            self.screen.say(str(error))
            self._passed.add(_key(step))
        else:
            self._passed.discard(_key(step))
            if card is not None:
                self._last = card
                self.screen.brief(card)
        return True

    def _run_checks(self, step: Step) -> bool:
        following: Step | None = step
        while following is not None and (following is step or following.verb == "check"):
            if not self._run(following):
                return False
            following = self._next()
        return True

    def _next(self) -> Step | None:
        """Return the first step that waits; those that were passed over come last."""
        if self._shown is not None:
            return self._shown
        waiting = [step for step in map(self._step, self._board.waiting) if step is not None]
        later = [step for step in waiting if _key(step) in self._passed]
        sooner = [step for step in waiting if _key(step) not in self._passed]
        if not sooner and later:
            self.screen.say(f"{counted(len(later), 'step')} passed over. They come again now.")
            self._passed.clear()
        return next(iter([*sooner, *later]), None)

    def _go_to(self, words: str) -> None:
        wanted = words.strip().casefold()
        found = [
            step
            for step in self.session.runbook.steps
            if wanted and wanted in f"{step.verb} {step.title}".casefold()
        ]
        if len(found) == 1:
            self._show(found[0])
            return
        said = "Several steps fit" if found else "No step fits"
        self.screen.say(f"{said} {one_line(words)!r}:")
        for step in found or self.session.runbook.steps:
            self.screen.print(f"  {step.verb} {one_line(step.title)}")

    def _pass_over(self, step: Step, _words: str) -> bool:
        self._passed.add(_key(step))
        self._shown = None
        return True

    def _show_last(self, _step: Step, _words: str) -> bool:
        if self._last is not None:
            self.screen.card(self._last)
        return True

    def _show_board(self, _step: Step, _words: str) -> bool:
        self.screen.print(board_text(self._board))
        return True

    def _note(self, _step: Step, words: str) -> bool:
        try:
            if text := words.strip() or self.ask("Note: ").strip():
                self.screen.brief(self.session.incident.note(text))
        except RunbookError as error:
            self.screen.say(str(error))
        return True

    def _help(self, _step: Step, _words: str) -> bool:
        for key, does in _KEYS:
            self.screen.print(f"  {key:8} {does}")
        return True

    def _show(self, step: Step) -> None:
        self._shown = step
        number = self.session.runbook.steps.index(step) + 1
        of = len(self.session.runbook.steps)
        self.screen.print()
        place = ", ".join(dict.fromkeys(filter(None, (step.section, step.option, step.heading))))
        self.screen.print(f"Step {number} of {of}  {one_line(place)}", style="bold")
        for line in self._prose(step):
            self.screen.print(line)
        call = f": {one_line(step.call)}" if step.call else ""
        self.screen.print(f"{step.verb} {one_line(step.title)}{call}", style=COLOURS[Tone.UNKNOWN])

    def _prose(self, step: Step) -> Iterator[str]:
        """Yield the words between the step before and this one; the headings are told above."""
        cells = Document.read(self.session.runbook.path).own_cells
        first = step.cell
        while first and cells[first - 1].is_text:
            first -= 1
        above = ""
        for cell in cells[first : step.cell]:
            for line in [*block(cell.source).splitlines(), ""]:
                if line.lstrip().startswith("#") or not (line or above):
                    continue
                yield line.replace("**", "")
                above = line

    def _step(self, waiting: BoardStep) -> Step | None:
        return next(
            (
                step
                for step in self.session.runbook.steps
                if (step.verb, step.title, step.heading)
                == (waiting.verb, waiting.title, waiting.heading)
            ),
            None,
        )

    @property
    def _board(self) -> Board:
        return self.session.incident.board


def _key(step: Step) -> tuple[str, str]:
    return step.verb, step.title
