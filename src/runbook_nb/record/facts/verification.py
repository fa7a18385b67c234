"""What was verified, and how long it held afterwards."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from runbook_nb.text.durations import words
from runbook_nb.timeline import queries
from runbook_nb.timeline.events import Checked, Event, Verdict, Verified


@dataclass(frozen=True, kw_only=True)
class HeldFacts:
    """A verification that passed, and the later readings of the same check.

    ``last_read`` is the newest reading that still passed in an unbroken row, ``broke_at`` the
    first later one that did not, ``seq`` the number of the verification on the timeline.
    """

    title: str
    seq: int
    at: datetime
    run: str
    later_readings: int = 0
    last_read: datetime | None = None
    broke_at: datetime | None = None
    closed_after_s: float | None = None

    @property
    def said(self) -> str:
        """How long it held, in words."""
        if self.broke_at:
            return f"did not hold: no longer passed {words(self.broke_at - self.at)} later"
        if self.last_read and self.later_readings:
            return f"held for {words(self.last_read - self.at)}, as long as it was read"
        if self.closed_after_s is None:
            return "not read again"
        return f"not read again; closed {words(self.closed_after_s)} later"


def fold_held(events: Sequence[Event]) -> tuple[HeldFacts, ...]:
    """Return the last passed verification of each check by each run, and how long it held."""
    last = queries.closed(events)
    closed = last.at if last else None
    newest: dict[tuple[str, str], HeldFacts] = {}
    begun: dict[str, list[tuple[str, str]]] = {}  # those of each check that still hold
    for seq, event in enumerate(events, start=1):
        if not isinstance(event, Checked | Verified):
            continue
        passes = event.verdict is Verdict.PASS
        for key in begun.get(event.title, ()):
            newest[key] = _read_again(newest[key], event)
        if not passes:
            begun[event.title] = []
        elif isinstance(event, Verified):
            key = (event.run, event.title)
            newest.pop(key, None)
            newest[key] = _held(event, seq=seq, closed=closed)
            begun[event.title] = [*dict.fromkeys([*begun.get(event.title, ()), key])]
    return tuple(newest.values())


def _held(event: Verified, *, seq: int, closed: datetime | None) -> HeldFacts:
    after_s = (closed - event.at).total_seconds() if closed else None
    return HeldFacts(title=event.title, seq=seq, at=event.at, run=event.run, closed_after_s=after_s)


def _read_again(held: HeldFacts, event: Checked | Verified) -> HeldFacts:
    if event.verdict is not Verdict.PASS:
        return replace(held, broke_at=event.at)
    return replace(held, later_readings=held.later_readings + 1, last_read=event.at)
