"""The timeline as it is told on the page: the lines of the story, each with source and links."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from runbook_nb.incident.cards.describe import face, named_approver
from runbook_nb.incident.cards.description import Face, Tone, against
from runbook_nb.record.facts import Record
from runbook_nb.record.page.anchors import Anchors
from runbook_nb.text.formatting import one_line
from runbook_nb.timeline.events import (
    UNDO,
    Acted,
    Acting,
    Approved,
    Asked,
    Checked,
    Event,
    Noted,
    Reported,
    Sending,
    Undone,
    Verdict,
    Verified,
)

_PHRASE: Final = 220  # characters of a phrase; its evidence holds the rest
_NOTE: Final = 4_000  # characters of a note or a report: its words are all there is


@dataclass(frozen=True, kw_only=True)
class Phrase:
    """A phrase of a line with its own time, and the place on the page that holds its evidence."""

    said: str
    anchor: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class TimelineLine:
    """One line of the told timeline: when, how it stands, what, and who or what says so."""

    at: datetime
    place: str
    tone: Tone
    sign: str
    word: str
    parts: tuple[Phrase, ...]
    systems: tuple[str, ...]
    who: tuple[str, ...]
    run: str = ""

    @property
    def source(self) -> str:
        """The systems that were read, the run, and who ran it."""
        return ", ".join([*self.systems, *self.who]) or "the program"


def full_log(record: Record, events: Sequence[Event], anchors: Anchors) -> list[TimelineLine]:
    """Return one line for each event."""
    return [_line(record, event, anchors) for event in events]


def curated(record: Record, events: Sequence[Event], anchors: Anchors) -> list[TimelineLine]:
    """Return the lines that tell the story; readings of one kind in a row are one line."""
    lines: list[TimelineLine] = []
    for event in _told(record, events):
        line = _line(record, event, anchors)
        if lines and isinstance(event, Checked | Verified) and _joins(lines[-1], line):
            lines[-1] = _joined(lines[-1], line)
        else:
            lines.append(line)
    return lines


def _told(record: Record, events: Sequence[Event]) -> Iterator[Event]:
    """Leave out what passed, what was passed over, and what the end of an action says again."""
    passed_over = {id(action.acted) for action in record.actions if action.not_chosen}
    answered = {step.question: step for step in record.manual_steps}
    ends = {
        event.title: place
        for place, event in enumerate(events)
        if isinstance(event, Acted | Undone)
    }
    for place, event in enumerate(events):
        if isinstance(event, Checked):
            tells = event.verdict is not Verdict.PASS and event.purpose == "check"
        elif isinstance(event, Asked):
            tells = answered[event.question] is event
        elif isinstance(event, Noted):
            tells = not event.runbook
        elif isinstance(event, Acting):
            tells = ends.get(event.title.removeprefix(UNDO), -1) < place
        elif isinstance(event, Sending):
            tells = False
        else:
            tells = id(event) not in passed_over
        if tells:
            yield event


def _line(record: Record, event: Event, anchors: Anchors) -> TimelineLine:
    shown = face(event)
    return TimelineLine(
        at=event.at,
        place=anchors.line(event),
        tone=shown.tone,
        sign=shown.sign,
        word=shown.word.lower(),
        parts=(Phrase(said=_said(event, shown), anchor=anchors.of(event), at=event.at),),
        systems=_systems(event),
        who=_who(record, event, anchors),
        run=event.run,
    )


def _said(event: Event, shown: Face) -> str:
    if isinstance(event, Noted | Reported):
        return one_line(shown.title, _NOTE)
    if isinstance(event, Verified) and event.verdict is Verdict.PASS:
        return one_line(f"{event.title}: {against(event.evidence, '', event.expect)}", _PHRASE)
    return one_line(shown.said, _PHRASE)


def _systems(event: Event) -> tuple[str, ...]:
    named = event.evidence.source if isinstance(event, Checked | Verified) else ""
    return tuple(named.split(", ")) if named else ()


def _who(record: Record, event: Event, anchors: Anchors) -> tuple[str, ...]:
    number = anchors.runs.get(event.run)
    run = f"run {number}" if number and len(record.runs) > 1 else ""
    if isinstance(event, Approved):
        who = named_approver(event, record.owners)
    else:
        who = record.actor_of(event)
    return tuple(part for part in (run, who) if part)


def _joined(before: TimelineLine, line: TimelineLine) -> TimelineLine:
    """Return both lines as one."""
    systems = tuple(dict.fromkeys([*before.systems, *line.systems]))
    return replace(before, parts=(*before.parts, *line.parts), systems=systems)


def _joins(before: TimelineLine, line: TimelineLine) -> bool:
    return (before.word, before.run) == (line.word, line.run)
