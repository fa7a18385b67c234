"""A run under way: what it writes on the timeline, and what a person sees of it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, partial
from typing import Any, Final, TypeVar

from runbook_nb.incident.board import Board, BoardFold
from runbook_nb.incident.cards import Card
from runbook_nb.incident.context import RunContext
from runbook_nb.incident.edits import CellTexts, Edit
from runbook_nb.incident.place import Place, pass_by
from runbook_nb.incident.screen import Screen
from runbook_nb.probes.environment import Environment
from runbook_nb.runbook.runbook import Runbook
from runbook_nb.timeline import queries
from runbook_nb.timeline.events import Changed, Event
from runbook_nb.timeline.incidents import refuse_closed
from runbook_nb.timeline.writer import WritableTimeline

E = TypeVar("E", bound=Event)

# A decision, a note, an undo and a stop are the responder's own; to write them is no edit.
EDITABLE: Final = frozenset({"check", "act", "verify", "ask"})


@dataclass(frozen=True, kw_only=True)
class LiveStep:
    """A step whose cell runs now: ``card`` shows an event of it, ``written`` appends it first.

    ``edit`` is how its cell differs from the runbook's, ``covered`` tells that it is in the text
    that an approval names.
    """

    edit: Edit | None
    covered: bool
    card: Callable[[Event], Card]
    written: Callable[[Event], Card]


@dataclass(frozen=True, kw_only=True)
class LiveRun:
    """Who runs which text where, on which timeline and before which screen.

    ``reached`` is called at each place between two durable steps.
    """

    context: RunContext
    environment: Environment
    timeline: WritableTimeline
    runbook: Runbook
    cells: CellTexts
    screen: Screen
    now: Callable[[], datetime]
    reached: Callable[[Place], None] = pass_by

    def stamp(self) -> dict[str, Any]:
        """Return the fields that every event of this run carries."""
        return {"at": self.now(), "run": self.context.run, "by": self.context.actor}

    def own_events(self) -> list[Event]:
        """Return the events of this environment; what was done in another one is not done here."""
        return queries.in_environment(self.timeline, self.environment.name)

    def is_same_call(self, written: str, call: str) -> bool:
        """Tell whether a call on the timeline is this one; if it cannot be told, it is."""
        hidden = any(mark in written for mark in ("[masked", "[withheld", "[cut"))
        return hidden or written in ("", self.timeline.redactor.text(call))

    def record(self, event: E) -> E:
        """Append an event; raises IncidentStateError if the incident is closed."""
        refuse_closed(self.timeline)
        return self.timeline.append(event)

    def working(self, text: str) -> None:
        """Show what the step that runs does now, and since when."""
        self.screen.working(f"Since {self.now():%H:%M:%SZ}: {text}")

    @contextmanager
    def step(
        self, verb: str, title: str = "", *, rests_on: Edit | None = None
    ) -> Iterator[LiveStep]:
        """Begin a step: note an edit of its cell; draw the board when it ends, however it ends.

        What ``rests_on`` the edited cell of another step is no more the runbook's than that.
        Raises IncidentStateError if the incident is closed, before anybody is asked anything.
        """
        refuse_closed(self.timeline)
        edit = self.cells.edit(verb, title) if verb in EDITABLE else None
        edit = edit or rests_on
        self.tell_edit(verb, title, edit)
        card = partial(self.card, changed=edit is not None)
        try:
            yield LiveStep(
                edit=edit,
                covered=self.cells.is_as_opened(verb, title),
                card=card,
                written=lambda event: card(self.record(event)),
            )
        finally:
            self.screen.rest()
            self.screen.board(self.board())

    def board(self) -> Board:
        """Return the board as it stands now."""
        return self._folded.board(now=self.now())

    @cached_property
    def _folded(self) -> BoardFold:
        return BoardFold(self.timeline, self.runbook)

    def tell_edit(self, verb: str, title: str, edit: Edit | None) -> None:
        """Write that a step is not as the runbook has it; nothing where it is."""
        if edit is not None:
            told: dict[str, Any] = {"before": edit.before, "after": edit.after}
            self.record(Changed(**self.stamp(), verb=verb, title=title, **told))

    def card(self, event: Event, *, changed: bool) -> Card:
        """Return the card of an event, marked with production and with an edit of its cell."""
        production = self.environment.name if self.environment.is_production else ""
        return Card(event, production=production, changed=changed)
