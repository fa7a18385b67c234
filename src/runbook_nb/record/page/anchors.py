"""Where on the page each event of the timeline has its evidence."""

from collections.abc import Sequence
from typing import Final

from runbook_nb.record.facts import Record
from runbook_nb.timeline.events import (
    Alerted,
    Approved,
    Asked,
    Changed,
    Checked,
    Decided,
    Ended,
    Event,
    Opened,
    Started,
    Stopped,
    Verified,
)

_BY_NUMBER: Final[dict[type[Event], str]] = {
    Checked: "reading",
    Verified: "reading",
    Decided: "decision",
    Approved: "approval",
}


class Anchors:
    """The names of the places on a page that events link to.

    Facts hold the events themselves, so an event is known by its identity.
    """

    def __init__(self, record: Record, events: Sequence[Event]) -> None:
        self.runs = {run.run: place for place, run in enumerate(record.runs, start=1)}
        self._seqs = {id(event): place for place, event in enumerate(events, start=1)}
        self._places = {
            id(event): f"{_BY_NUMBER[type(event)]}-{self.seq(event)}"
            for event in events
            if type(event) in _BY_NUMBER
        }
        steps = {step.question: place for place, step in enumerate(record.manual_steps, start=1)}
        for event in events:
            if isinstance(event, Asked):
                self._places[id(event)] = f"step-{steps[event.question]}"
            elif isinstance(event, Started | Ended | Stopped) and event.run in self.runs:
                self._places[id(event)] = f"run-{self.runs[event.run]}"
            elif isinstance(event, Opened | Alerted) and record.alert:
                self._places[id(event)] = "alert"
        edits = {(edit.verb, edit.title, edit.after): n for n, edit in enumerate(record.changes, 1)}
        for event in events:
            if isinstance(event, Changed):
                edit = edits[event.verb, event.title, event.after]
                self._places[id(event)] = f"change-{edit}"
        for place, action in enumerate(record.actions, start=1):
            for part in (
                action.acting,
                action.acted,
                action.settled,
                action.undoing,
                action.undone,
                action.undo_settled,
            ):
                self._places[id(part)] = f"action-{place}"

    def seq(self, event: Event) -> int:
        """Return the number of an event on the timeline."""
        return self._seqs[id(event)]

    def of(self, event: Event) -> str:
        """Return the place of an event's evidence; of words alone, its line in the full log."""
        return self._places.get(id(event), self.line(event))

    def line(self, event: Event) -> str:
        """Return the place of an event in the full log."""
        return f"event-{self.seq(event)}"
