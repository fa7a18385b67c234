"""Who was told what and when, held against the platform's clock for updates and escalation."""

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

from runbook_nb.model import Acted, Acting, Asked, Event, Opened, Outcome

# The platform's incident process: updates every 15 minutes; a SEV1 goes to the next level after
# 30 minutes, a SEV2 after 1 h.
UPDATE_EVERY: Final = timedelta(minutes=15)
ESCALATE_AFTER: Final = {"SEV1": timedelta(minutes=30), "SEV2": timedelta(hours=1)}
# A call names the module of its system first; these tell people, and repair nothing.
CHANNELS: Final = {
    "slack": "#incidents",
    "pagerduty": "page",
    "statuspage": "status page",
    "declared": "incident row",
}
_TRIED: Final = (Outcome.DONE, Outcome.FAILED)
_TELLS = re.compile(r"#[a-z]|status page|\btell\b|\bcall the\b", re.IGNORECASE)
_ESCALATES = re.compile(r"escalat|engineering lead|vp engineering", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class MessageFacts:
    """One message: what, on which channels, by whom.

    One that is not ``sent`` was asked of a person and is open, or failed. ``escalates`` marks a
    call to the next level. ``seq`` is the number of its event on the timeline.
    """

    at: datetime
    seq: int
    said: str
    channels: tuple[str, ...]
    by: str
    sent: bool
    escalates: bool = False


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
    is None where the incident was over before.
    """

    messages: tuple[MessageFacts, ...]
    silences: tuple[SilenceFacts, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    escalation_due: datetime | None = None
    escalated_at: datetime | None = None

    @property
    def missed(self) -> int:
        """How many updates were due and did not come."""
        return sum(silence.missed for silence in self.silences)


def fold_communication(
    events: Sequence[Event], *, severity: str, until: datetime | None
) -> CommunicationFacts:
    """Return who was told what until the clock stopped; ``severity`` is the worst one known."""
    opened = next((event for event in events if isinstance(event, Opened)), None)
    messages = tuple(sorted(_messages(events), key=lambda message: message.seq))
    if opened is None or until is None:
        return CommunicationFacts(messages=messages)
    sent = [message for message in messages if message.sent]
    limit = ESCALATE_AFTER.get(severity)
    due = opened.at + limit if limit else None
    return CommunicationFacts(
        messages=messages,
        silences=tuple(_silences(opened.at, [message.at for message in sent], until)),
        since=opened.at,
        until=until,
        escalation_due=due if due and due < until else None,
        escalated_at=next((message.at for message in sent if message.escalates), None),
    )


def is_message(event: Acting | Acted) -> bool:
    """Tell whether an action only tells people: every part of its call is a channel."""
    return all(part in CHANNELS for part in _parts(event.call))


def _messages(events: Sequence[Event]) -> Iterator[MessageFacts]:
    """Return the messages that were tried, and the newest state of each that was asked for."""
    asked: dict[str, MessageFacts] = {}
    for seq, event in enumerate(events, start=1):
        if isinstance(event, Acted) and event.outcome in _TRIED and is_message(event):
            yield _by_action(event, seq)
        elif isinstance(event, Asked) and not event.skipped and _tells(event):
            known = asked.get(event.question)
            if known is None or (not known.sent and event.answer is not None):
                asked[event.question] = _by_hand(event, seq)
    yield from asked.values()


def _by_action(event: Acted, seq: int) -> MessageFacts:
    channels = dict.fromkeys(CHANNELS[part] for part in _parts(event.call))
    return MessageFacts(
        at=event.at,
        seq=seq,
        said=event.title,
        channels=tuple(channels),
        by=event.by,
        sent=event.outcome is Outcome.DONE,
    )


def _by_hand(event: Asked, seq: int) -> MessageFacts:
    answered = event.answer is not None
    return MessageFacts(
        at=event.at,
        seq=seq,
        said=event.question,
        channels=(event.owner,) if event.owner else (),
        by=event.by if answered else "",
        sent=answered,
        escalates=_ESCALATES.search(event.question) is not None,
    )


def _tells(event: Asked) -> bool:
    return event.owner == "Communications" or _TELLS.search(event.question) is not None


def _parts(call: str) -> list[str]:
    """Return the systems that a call speaks to: ``slack.announce + pagerduty.page(…)``."""
    return [part.partition(".")[0].strip() for part in call.partition("(")[0].split(" + ")]


def _silences(since: datetime, told: Sequence[datetime], until: datetime) -> Iterator[SilenceFacts]:
    """Return the stretches in which an update was due: each is due that long after the last."""
    moments = [since, *(moment for moment in told if since <= moment <= until), until]
    for begin, end in pairwise(moments):
        missed = math.ceil((end - begin) / UPDATE_EVERY) - 1
        if missed > 0:
            yield SilenceFacts(begin=begin, end=end, missed=missed)
