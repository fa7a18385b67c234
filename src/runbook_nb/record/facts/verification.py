"""What was verified, and how long it held afterwards."""

from collections.abc import Sequence
from dataclasses import dataclass
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
    newest = {
        (event.run, event.title): seq
        for seq, event in enumerate(events, start=1)
        if isinstance(event, Verified) and event.verdict is Verdict.PASS
    }
    return tuple(_held(events, seq=seq, closed=closed) for seq in sorted(newest.values()))


def _held(events: Sequence[Event], *, seq: int, closed: datetime | None) -> HeldFacts:
    verified = events[seq - 1]
    title = getattr(verified, "title", "")
    later = [
        event
        for event in events[seq:]
        if isinstance(event, Checked | Verified) and event.title == title
    ]
    place = next((i for i, event in enumerate(later) if event.verdict is not Verdict.PASS), None)
    passed = later if place is None else later[:place]
    return HeldFacts(
        title=title,
        seq=seq,
        at=verified.at,
        run=verified.run,
        later_readings=len(passed),
        last_read=passed[-1].at if passed else None,
        broke_at=later[place].at if place is not None else None,
        closed_after_s=(closed - verified.at).total_seconds() if closed else None,
    )
