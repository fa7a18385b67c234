"""Messages of an incident: who told whom what."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from runbook_nb.text.values import Json
from runbook_nb.timeline.events import Acted, Asked, Event, Noted, Outcome
from runbook_nb.timeline.queries import numbered, terms_of

_TRIED: Final = (Outcome.DONE, Outcome.FAILED)
_TELLS = re.compile(r"#[a-z]|status page|\btell\b|\bcall the\b", re.IGNORECASE)
# A note tells of a message when it begins with what was done, not with what ought to be.
_TOLD = re.compile(r"\s*(?:told|called|posted|paged|escalated)\b", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class MessageFacts:
    """One message: what, on which channels, by whom; ``told`` are its words where they are known.

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
    told: str = ""


def messages(events: Sequence[Event]) -> list[MessageFacts]:
    """Return the messages that were tried, and the manual steps to tell that nobody has answered.

    A note that begins with told, called, posted, paged or escalated is a message too. One that
    speaks of escalating, or of a role of the next level, escalates.
    """
    escalates = _escalation(events)
    sent: list[MessageFacts] = []
    waiting: dict[str, MessageFacts] = {}
    answered: set[str] = set()
    for seq, event in numbered(events, Acted, Noted, Asked):
        if isinstance(event, Acted) and event.outcome in _TRIED and event.tells:
            sent.append(_by_action(event, seq))
        elif (
            isinstance(event, Noted) and event.by and not event.runbook and _TOLD.match(event.text)
        ):
            sent.append(_in_words(event, seq, escalates))
        elif isinstance(event, Asked) and not event.skipped and _tells(event):
            if event.answer is None:
                waiting.setdefault(event.question, _by_hand(event, seq, escalates))
                continue
            answered.add(event.question)
            sent.append(_by_hand(event, seq, escalates))
    still = [message for question, message in waiting.items() if question not in answered]
    return sorted([*sent, *still], key=lambda message: message.seq)


def _by_action(event: Acted, seq: int) -> MessageFacts:
    return MessageFacts(
        at=event.at,
        seq=seq,
        said=event.title,
        channels=event.tells,
        by=event.by,
        sent=event.outcome is Outcome.DONE,
        # A rehearsal shows what is about to be told; the result is what the channel answered.
        told=max(_texts(event.rehearsal), key=len, default=""),
    )


def _texts(value: Json) -> Iterator[str]:
    """Return every text within a value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _texts(each)


def _by_hand(event: Asked, seq: int, escalates: re.Pattern[str]) -> MessageFacts:
    answered = event.answer is not None
    return MessageFacts(
        at=event.at,
        seq=seq,
        said=event.question,
        channels=(event.owner,) if event.owner else (),
        by=event.by if answered else "",
        sent=answered,
        escalates=escalates.search(event.question) is not None,
        told=event.answer or "",
    )


def _in_words(event: Noted, seq: int, escalates: re.Pattern[str]) -> MessageFacts:
    return MessageFacts(
        at=event.at,
        seq=seq,
        said=event.text,
        channels=(),
        by=event.by,
        sent=True,
        escalates=escalates.search(event.text) is not None,
    )


def _escalation(events: Sequence[Event]) -> re.Pattern[str]:
    roles = map(re.escape, terms_of(events).next_level)
    return re.compile("|".join(["escalat", *roles]), re.IGNORECASE)


def _tells(event: Asked) -> bool:
    return event.owner == "Communications" or _TELLS.search(event.question) is not None
