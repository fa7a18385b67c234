"""Attempts at actions and undos: which begun, how they ended, and which nobody saw end.

An attempt ends by an outcome that names it, or by being settled; by nothing else. The order of
the events decides, never a clock.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from runbook_nb.timeline.events import (
    UNDO,
    Acted,
    Acting,
    Event,
    Outcome,
    Sending,
    Settled,
    Settlement,
    Undone,
)

# An action that was done: by its own outcome, or as it was settled.
Done = Acted | Settled
_ENDED = (Outcome.DONE, Outcome.FAILED)


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """One attempt: what was written before it, on its way, and of its end.

    ``id`` names it; an older timeline gave none, and there the number of its event does.
    ``repeated`` tells that the same call was done later, and that to send it twice does no harm.
    """

    id: str
    acting: Acting
    sending: tuple[Sending, ...] = ()
    end: Acted | Undone | None = None
    settled: Settled | None = None
    repeated: bool = False

    @property
    def title(self) -> str:
        """The action, without what marks an undo."""
        return self.acting.title.removeprefix(UNDO)

    @property
    def undoes(self) -> bool:
        """Whether it takes an action back."""
        return self.acting.title.startswith(UNDO)

    @property
    def is_open(self) -> bool:
        """Whether nobody knows what became of it: it may be half done.

        A failure that came after something was sent says only that no answer came.
        """
        if self.settled or self.repeated:
            return False
        if self.end is None:
            return True
        if self.end.outcome is not Outcome.FAILED or not self.acting.attempt:
            return False
        return not (self.end.untouched or self.acting.repeatable)


def attempts(events: Iterable[Event]) -> list[Attempt]:
    """Return every attempt, oldest first."""
    found: list[Attempt] = []
    for number, event in enumerate(events, start=1):
        if isinstance(event, Acting):
            found.append(Attempt(id=event.attempt or f"event {number}", acting=event))
            continue
        place = _place(found, event)
        if place is None:
            continue
        if isinstance(event, Sending):
            found[place] = replace(found[place], sending=(*found[place].sending, event))
        elif isinstance(event, Settled):
            found[place] = replace(found[place], settled=event)
        elif isinstance(event, Acted | Undone):
            found[place] = replace(found[place], end=event)
            if event.outcome is Outcome.DONE:
                _repeat(found, found[place].acting)
    return found


def unsettled(events: Iterable[Event]) -> list[Attempt]:
    """Return the attempts that may be half done, oldest first."""
    return [attempt for attempt in attempts(events) if attempt.is_open]


def is_testimony(events: Iterable[Event], event: Event) -> bool:
    """Tell whether an event only says what became of an attempt that began before."""
    if not isinstance(event, Acted | Undone | Settled):
        return False
    if not isinstance(event, Settled) and event.outcome not in _ENDED:
        return False
    return _place(attempts(events), event) is not None


def _place(found: list[Attempt], event: Event) -> int | None:
    """Return which attempt an event is about."""
    if isinstance(event, Sending | Settled) or (
        isinstance(event, Acted | Undone) and event.attempt
    ):
        named = (place for place, each in enumerate(found) if each.id == event.attempt)
        return next(named, None)
    if isinstance(event, Acted | Undone) and event.outcome in _ENDED:
        return _place_of_old(found, event)
    return None


def _place_of_old(found: list[Attempt], event: Acted | Undone) -> int | None:
    """Return the attempt that an outcome without an id ends: the newest of its title and run."""
    title = f"{UNDO}{event.title}" if isinstance(event, Undone) else event.title
    for place in reversed(range(len(found))):
        begun = found[place].acting
        if (begun.title, begun.run, begun.attempt) == (title, event.run, ""):
            return place if found[place].end is None else None
    return None


def _repeat(found: list[Attempt], done: Acting) -> None:
    """End the earlier attempts at the same call, where to send it twice does no harm."""
    for place, attempt in enumerate(found):
        begun = attempt.acting
        same = (begun.title, begun.call) == (done.title, done.call)
        # What an older timeline says nothing of, the newer attempt at the same action says.
        harmless = begun.repeatable or (done.repeatable and not begun.attempt)
        if same and harmless and attempt.end is None and begun is not done:
            found[place] = replace(attempt, repeated=True)


def done(events: Iterable[Event], title: str) -> Done | None:
    """Return the done action of that title, unless it was undone since."""
    stands: Done | None = None
    for event in events:
        if isinstance(event, Acted | Settled) and event.title == title and _was_done(event):
            stands = event
        elif _takes_back(event, title):
            stands = None
    return stands


def all_done(events: Iterable[Event]) -> list[Done]:
    """Return every action that was done, whether or not it was undone since."""
    told = [event for event in events if isinstance(event, Acted | Settled)]
    return [event for event in told if _was_done(event) and not event.title.startswith(UNDO)]


def _was_done(event: Done) -> bool:
    done_as = Settlement.DONE if isinstance(event, Settled) else Outcome.DONE
    return event.outcome is done_as


def _takes_back(event: Event, title: str) -> bool:
    if isinstance(event, Undone):
        return event.title == title and event.outcome is Outcome.DONE
    return isinstance(event, Settled) and event.title == f"{UNDO}{title}" and _was_done(event)
