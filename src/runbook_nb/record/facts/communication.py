"""Who was told what and when, held against the incident's clocks for updates and escalation."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise

from runbook_nb.incident.messages import MessageFacts, messages
from runbook_nb.timeline import queries
from runbook_nb.timeline.events import Event, SeverityTerms, Terms


@dataclass(frozen=True, kw_only=True)
class SilenceFacts:
    """A stretch without an update, and how many updates were due in it."""

    begin: datetime
    end: datetime
    missed: int


@dataclass(frozen=True, kw_only=True)
class CommunicationFacts:
    """All messages, the silences that were too long, and whether the next level was called.

    ``until`` is when the clock stopped: verified, closed, or the last event. ``escalation_due``
    is None where the incident was over before. ``terms`` are those it was opened with, ``clocks``
    those of its severity; None where the terms do not know it.
    """

    messages: tuple[MessageFacts, ...]
    silences: tuple[SilenceFacts, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    escalation_due: datetime | None = None
    escalated_at: datetime | None = None
    terms: Terms = field(default_factory=Terms)
    clocks: SeverityTerms | None = None

    @property
    def is_kept(self) -> bool:
        """Whether updates were due by a clock, somebody told others, and none was missed."""
        clock = self.clocks.update_every_s if self.clocks else None
        return clock is not None and bool(self.messages) and not self.missed

    @property
    def missed(self) -> int:
        """How many updates were due and did not come."""
        return sum(silence.missed for silence in self.silences)


def fold_communication(
    events: Sequence[Event], *, severity: str, until: datetime | None
) -> CommunicationFacts:
    """Return who was told what until the clock stopped; ``severity`` is the worst one known."""
    opened = queries.opened(events)
    known = tuple(messages(events))
    if opened is None or until is None:
        return CommunicationFacts(messages=known)
    sent = [message for message in known if message.sent]
    clocks = opened.terms.of(severity)
    after_s = clocks.escalate_after_s if clocks else None
    due = opened.at + timedelta(seconds=after_s) if after_s else None
    every_s = clocks.update_every_s if clocks else None
    told = [message.at for message in sent]
    return CommunicationFacts(
        messages=known,
        silences=tuple(_silences(opened.at, told, until, every_s=every_s)) if every_s else (),
        since=opened.at,
        until=until,
        escalation_due=due if due and due < until else None,
        escalated_at=next((message.at for message in sent if message.escalates), None),
        terms=opened.terms,
        clocks=clocks,
    )


def _silences(
    since: datetime, told: Sequence[datetime], until: datetime, *, every_s: float
) -> Iterator[SilenceFacts]:
    """Return the stretches in which an update was due: each is due that long after the last."""
    moments = [since, *(moment for moment in told if since <= moment <= until), until]
    for begin, end in pairwise(moments):
        missed = math.ceil((end - begin).total_seconds() / every_s) - 1
        if missed > 0:
            yield SilenceFacts(begin=begin, end=end, missed=missed)
