"""What an incident says about a runbook: notes for it, and steps that did not serve."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from runbook_nb.errors import RunbookError
from runbook_nb.incident.choosing import newest
from runbook_nb.model import (
    Acted,
    Asked,
    Checked,
    Closed,
    Decided,
    Event,
    Noted,
    Opened,
    Outcome,
    Started,
    Stopped,
    Verdict,
    Verified,
)
from runbook_nb.record.folding import fold_manual_steps
from runbook_nb.runbook import Runbook
from runbook_nb.steps import Step
from runbook_nb.timeline import Timeline

DRILL = "drill"  # how a drill closes its incidents; a drill is no night to learn from


class Kind(StrEnum):
    """Why an edit is proposed."""

    NOTE = "note"
    UNKNOWN = "unknown"
    OVERRIDDEN = "overridden"
    SKIPPED = "skipped"


@dataclass(frozen=True, kw_only=True)
class Sighting:
    """One thing seen in one incident: about which runbook and step, and what was seen.

    ``copy`` is the notebook that ran, where it is known, and ``digest`` that of its text.
    """

    incident: str
    at: datetime
    by: str
    runbook: str
    kind: Kind
    step: str
    said: str
    copy: Path | None = None
    digest: str = ""


def sightings(incidents: Path, *, drills: bool = False) -> list[Sighting]:
    """Return what all incidents say about runbooks, oldest first; drills only if wanted."""
    found: list[Sighting] = []
    for path in sorted(incidents.glob("*/timeline.jsonl")):
        events = Timeline(path).proven()
        closed = next((event for event in events if isinstance(event, Closed)), None)
        if drills or closed is None or closed.resolution != DRILL:
            found += _of_incident(path.parent, events, is_closed=closed is not None)
    return sorted(found, key=lambda sighting: sighting.at)


def _of_incident(folder: Path, events: Sequence[Event], *, is_closed: bool) -> Iterator[Sighting]:
    starts = {event.run: event for event in events if isinstance(event, Started)}
    opened = next((event for event in events if isinstance(event, Opened)), None)
    names = dict.fromkeys(started.runbook for started in starts.values())
    for name in names or ([opened.runbook] if opened else []):
        runs = {run: started for run, started in starts.items() if started.runbook == name}
        own = [event for event in events if event.run in runs]
        if opened and opened.runbook == name:
            own += [event for event in events if isinstance(event, Noted) and not event.run]
        copy, digest = _copy(folder, list(runs.values()))
        seen = [*_noted(own), *_unknown(own), *_overridden(own), *_declined(own)]
        if is_closed:
            seen += _never_run(own, runs, copy)
        for kind, event, step, said in seen:
            yield Sighting(
                incident=folder.name,
                at=event.at,
                by=event.by,
                runbook=name,
                kind=kind,
                step=step,
                said=said,
                copy=copy,
                digest=digest,
            )


_Seen = tuple[Kind, Event, str, str]


def _noted(events: Sequence[Event]) -> Iterator[_Seen]:
    for event in events:
        if isinstance(event, Noted) and event.runbook:
            yield Kind.NOTE, event, "", event.text


def _unknown(events: Sequence[Event]) -> Iterator[_Seen]:
    checks = [event for event in events if isinstance(event, Checked)]
    for title, checked in newest(checks).items():
        if checked.verdict is Verdict.UNKNOWN:
            reason = checked.evidence.reason or "no reason was recorded"
            yield Kind.UNKNOWN, checked, title, f"It could not be read: {reason}"


def _overridden(events: Sequence[Event]) -> Iterator[_Seen]:
    for event in events:
        if isinstance(event, Decided) and event.option != event.recommended:
            chosen = event.option or "Nothing"
            instead = event.recommended or "nothing"
            said = f"{chosen!r} was chosen, {instead!r} was recommended: {event.reason}"
            yield Kind.OVERRIDDEN, event, event.recommended or chosen, said


def _declined(events: Sequence[Event]) -> Iterator[_Seen]:
    for event in events:
        if isinstance(event, Acted) and event.outcome is Outcome.DECLINED:
            said = f"The responder said no to it: {event.reason or 'no reason was given'}"
            yield Kind.SKIPPED, event, event.title, said


def _never_run(
    events: Sequence[Event], runs: dict[str, Started], copy: Path | None
) -> Iterator[_Seen]:
    """Return manual steps left open, and what a responder left out who ran it by hand.

    After a stop nothing was left out; nor is the fix, where there was nothing to fix.
    """
    if not runs:
        return
    last = events[-1]
    for asked in fold_manual_steps(events):
        if asked.answer is None and not asked.skipped:
            yield Kind.SKIPPED, asked, asked.question, "Nobody answered it before the close."
    by_hand = any(started.attended for started in runs.values())
    if by_hand and copy and not any(isinstance(event, Stopped) for event in events):
        ran = {(_verb(event), getattr(event, "title", "")) for event in events}
        ran |= {("ask", event.question) for event in events if isinstance(event, Asked)}
        for step in _wanted(copy, events):
            if (step.verb, step.title) not in ran:
                yield Kind.SKIPPED, last, step.title, f"Its {step.verb} was never run."


def _wanted(copy: Path, events: Sequence[Event]) -> list[Step]:
    """Return the steps that a responder should have run."""
    decided = next((event for event in reversed(events) if isinstance(event, Decided)), None)
    option = decided.option if decided else None
    try:
        steps = Runbook.read(copy).steps
    except (RunbookError, OSError):
        return []
    return [
        step
        for step in steps
        if step.verb == "check"
        or (step.verb == "act" and option and step.option in ("", option))
        or (step.verb == "verify" and option)
    ]


def _verb(event: Event) -> str:
    verbs: dict[type[Event], str] = {Checked: "check", Acted: "act", Verified: "verify"}
    return verbs.get(type(event), "")


def _copy(folder: Path, starts: Sequence[Started]) -> tuple[Path | None, str]:
    """Return the notebook of the newest run whose text is still the one that ran."""
    for started in reversed(starts):
        places = (
            folder / "runs" / f"{started.run}.ipynb",
            folder / "working" / f"{started.runbook}.ipynb",
        )
        for place in places:
            try:
                if place.is_file() and Runbook.read(place).digest == started.runbook_digest:
                    return place, started.runbook_digest
            except (RunbookError, OSError):
                continue
    return None, starts[-1].runbook_digest if starts else ""
