"""Events that know where each kind of them stands, so that a question costs what it finds."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

from runbook_nb.timeline.events import Event

E = TypeVar("E", bound=Event)


class EventsByKind(Sequence[Event]):
    """The events of an incident, oldest first, with an index by kind.

    Whoever inherits from it says how to read on; ``keep`` takes an event into the index.
    """

    def __init__(self) -> None:
        self._events: list[Event] = []
        self._numbers: dict[type[Event], list[int]] = {}

    def keep(self, event: Event) -> None:
        """Take in the next event."""
        self._events.append(event)
        self._numbers.setdefault(type(event), []).append(len(self._events))

    def numbered(self, kinds: Iterable[type[E]]) -> Iterator[tuple[int, E]]:
        """Return the events of some kinds with their numbers (``seq``, from 1), oldest first."""
        len(self)  # reads on
        for number in sorted(each for kind in kinds for each in self._numbers.get(kind, ())):
            yield number, self._events[number - 1]  # type: ignore[misc] # the index is by kind

    def newest_first(self, kind: type[E]) -> Iterator[tuple[int, E]]:
        """Return the events of one kind with their numbers, newest first."""
        len(self)  # reads on
        for number in reversed(self._numbers.get(kind, ())):
            yield number, self._events[number - 1]  # type: ignore[misc] # the index is by kind
