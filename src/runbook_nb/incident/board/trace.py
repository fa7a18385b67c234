"""Trace the steps through the events of a timeline: where each stands, and by which event."""

from dataclasses import dataclass

from runbook_nb.incident.board.facts import StepState
from runbook_nb.timeline.events import (
    UNDO,
    Acted,
    Acting,
    Asked,
    Changed,
    Checked,
    Decided,
    Event,
    Noted,
    Outcome,
    Settled,
    Settlement,
    Stopped,
    Undone,
    Verdict,
    Verified,
)

# Verb and title of a step; a decision has no title.
Key = tuple[str, str]

_KEPT = frozenset({StepState.DONE, StepState.BEGUN})
_LEFT_ALONE = frozenset({StepState.NOT_NEEDED, StepState.DECLINED, StepState.REHEARSED})
_BY_VERDICT = {verdict: StepState(verdict.value) for verdict in Verdict}


@dataclass(slots=True, kw_only=True)
class Trace:
    """Where a step stands by its newest event; ``changed`` where another text of it ran.

    ``seq`` is the number of that event on the timeline.
    """

    standing: StepState
    event: Event
    seq: int
    changed: bool = False


class Tracer:
    """What the events say of each step, in the order in which the steps first ran."""

    def __init__(self) -> None:
        self.traces: dict[Key, Trace] = {}
        self._edited: set[tuple[str, Key]] = set()

    def take(self, seq: int, event: Event) -> None:
        """Take in the next event."""
        if isinstance(event, Changed):
            self._edited.add((event.run, (event.verb, event.title)))
            return
        told = _told(event)
        if told is None:
            return
        key, standing = told
        trace = self.traces.get(key)
        if trace is None:
            trace = self.traces[key] = Trace(standing=standing, event=event, seq=seq)
        elif not _is_left_as_it_was(trace, standing):
            trace.standing, trace.event, trace.seq = standing, event, seq
        if _ends_its_cell(event):
            trace.changed = (event.run, key) in self._edited
            self._edited.discard((event.run, key))
        if isinstance(event, Undone | Settled) and _takes_back(event):
            act = self.traces.get(("act", event.title.removeprefix(UNDO)))
            if act is not None:
                act.standing, act.event, act.seq = StepState.UNDONE, event, seq


def _is_left_as_it_was(trace: Trace, standing: StepState) -> bool:
    # To leave an action alone neither undoes nor ends it, and a question is answered once.
    left_alone = trace.standing in _KEPT and standing in _LEFT_ALONE
    return left_alone or (trace.standing is StepState.ANSWERED and standing is StepState.OPEN)


def _takes_back(event: Undone | Settled) -> bool:
    undoes = isinstance(event, Undone) or event.title.startswith(UNDO)
    return undoes and event.outcome in (Outcome.DONE, Settlement.DONE)


def _ends_its_cell(event: Event) -> bool:
    """Tell whether an event ends its step's cell; a reading for an action and its start do not."""
    rereads = isinstance(event, Checked) and event.purpose != "check"
    return not rereads and not isinstance(event, Acting)


def _told(event: Event) -> tuple[Key, StepState] | None:
    """Return which step an event is about and where that stands now; None for no step."""
    match event:
        case Checked() | Verified():
            verb = "check" if isinstance(event, Checked) else "verify"
            return (verb, event.title), _BY_VERDICT[event.verdict]
        case Acting() | Acted() | Settled() | Undone():
            return _told_of_action(event)
        case Asked():
            answered = event.answer is not None
            return ("ask", event.question), StepState.ANSWERED if answered else StepState.OPEN
        case Decided():
            return ("decide", ""), StepState.DECIDED
        case _:
            return _told_in_words(event)


def _told_in_words(event: Event) -> tuple[Key, StepState] | None:
    if isinstance(event, Stopped):
        return ("stop", event.reason), StepState.STOPPED
    if isinstance(event, Noted) and event.by:
        return ("note", event.text), StepState.NOTED
    return None


def _told_of_action(event: Acting | Acted | Settled | Undone) -> tuple[Key, StepState]:
    undoes = isinstance(event, Undone) or event.title.startswith(UNDO)
    key = ("undo" if undoes else "act", event.title.removeprefix(UNDO))
    if isinstance(event, Acting):
        return key, StepState.BEGUN
    return key, StepState(event.outcome.replace("_", " "))
