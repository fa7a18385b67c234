"""How the runbooks of one incident did: what was skipped, changed, unread, slow, or noted."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Final

from runbook_nb.errors import RunbookError
from runbook_nb.record.facts.fold import fold_changes, is_passed_over
from runbook_nb.runbook.runbook import Runbook
from runbook_nb.runbook.steps import Step
from runbook_nb.text.durations import words
from runbook_nb.text.formatting import difference
from runbook_nb.timeline import queries
from runbook_nb.timeline.events import (
    Acted,
    Asked,
    Changed,
    Checked,
    Decided,
    Event,
    Noted,
    Outcome,
    Started,
    Stopped,
    Verdict,
    Verified,
)
from runbook_nb.timeline.folder import IncidentFolder

# A probe has 10 s to answer unless it says otherwise; one that takes half of it is near its end.
SLOW_READING_S: Final = 5.0
# The platform acknowledges within 5 minutes; a responder who stands still longer is stuck.
LONG_PAUSE_S: Final = 300.0


class RemarkKind(StrEnum):
    """What a remark is about."""

    NOTE = "note"
    UNKNOWN = "unknown"
    OVERRIDDEN = "overridden"
    SKIPPED = "skipped"
    CHANGED = "changed"
    SLOW = "slow"


# What a remark asks of the runbook's author; a slow step asks for nothing.
EDITS: Final = {
    RemarkKind.NOTE: "Work this note into the text",
    RemarkKind.UNKNOWN: "Say what to do when this cannot be read, or mend its probe",
    RemarkKind.OVERRIDDEN: (
        "Change the checks that led here, or say when the other option is better"
    ),
    RemarkKind.SKIPPED: "Take the step out, or say why it must not be skipped",
    RemarkKind.CHANGED: "Take the change into the runbook, or say why it served only that night",
}


@dataclass(frozen=True, kw_only=True)
class Remark:
    """One thing an incident says about a runbook: of which step, and what was seen.

    ``difference`` holds the lines that a responder took away and put in.
    """

    at: datetime
    by: str
    runbook: str
    kind: RemarkKind
    step: str
    said: str
    difference: str = ""


_Seen = tuple[RemarkKind, Event, str, str]


def remarks_of(folder: Path, events: Sequence[Event]) -> Iterator[Remark]:
    """Return what the events of an incident say about its runbooks; ``folder`` holds the copies."""
    places = IncidentFolder(folder)
    opened, closed = queries.opened(events), queries.closed(events)
    for name, runs in runs_by_runbook(events).items():
        own = [event for event in events if event.run in runs]
        if opened and opened.runbook == name:
            own += [event for event in queries.of(events, Noted) if not event.run]
        seen = [*_noted(own), *_unknown(own), *_overridden(own), *_declined(own), *_slow(own)]
        seen += _changed(own)
        if closed:
            seen += _never_run(own, runs, copy_that_ran(places, list(runs.values())))
        for kind, event, step, said in seen:
            yield Remark(
                at=event.at,
                by=event.by,
                runbook=name,
                kind=kind,
                step=step,
                said=said,
                difference=_difference(event),
            )


def runs_by_runbook(events: Sequence[Event]) -> dict[str, dict[str, Started]]:
    """Return the starts of each runbook's runs; without a run, that of the opening alone."""
    return {name: queries.runs(events, name) for name in queries.runbooks(events)}


def copy_that_ran(folder: IncidentFolder, starts: Sequence[Started]) -> Path | None:
    """Return the notebook of the newest run whose text is still the one that ran."""
    for started in reversed(starts):
        places = (
            folder.executed(started.run),
            folder.working_copy(started.notebook or f"{started.runbook}.ipynb"),
        )
        for place in places:
            try:
                if place.is_file() and Runbook.read(place).digest == started.runbook_digest:
                    return place
            except (RunbookError, OSError, ValueError, KeyError, TypeError, AttributeError):
                # A damaged copy says nothing; the record of the incident is made all the same.
                continue
    return None


def _noted(events: Sequence[Event]) -> Iterator[_Seen]:
    for event in events:
        if isinstance(event, Noted) and event.runbook:
            yield RemarkKind.NOTE, event, "", event.text


def _unknown(events: Sequence[Event]) -> Iterator[_Seen]:
    for title, checked in queries.newest(events).items():
        if checked.verdict is Verdict.UNKNOWN:
            reason = checked.evidence.reason or "no reason was recorded"
            yield RemarkKind.UNKNOWN, checked, title, f"It could not be read: {reason}"


def _overridden(events: Sequence[Event]) -> Iterator[_Seen]:
    for event in events:
        if isinstance(event, Decided) and event.option != event.recommended:
            chosen = event.option or "Nothing"
            instead = event.recommended or "nothing"
            said = f"{chosen!r} was chosen, {instead!r} was recommended: {event.reason}"
            yield RemarkKind.OVERRIDDEN, event, event.recommended or chosen, said


def _declined(events: Sequence[Event]) -> Iterator[_Seen]:
    """Return what was declined, but not what belongs to an option that was not chosen."""
    chosen: dict[str, str | None] = {}
    for event in events:
        if isinstance(event, Decided):
            chosen[event.run] = event.option
        elif (
            isinstance(event, Acted)
            and event.outcome is Outcome.DECLINED
            and not is_passed_over(event, chosen)
        ):
            said = f"The responder said no to it: {event.reason or 'no reason was given'}"
            yield RemarkKind.SKIPPED, event, event.title, said


def _changed(events: Sequence[Event]) -> Iterator[_Seen]:
    for edit in fold_changes(events):
        known = f"Another text of its {edit.verb} ran."
        said = known if edit.before else f"Its {edit.verb} ran, and is not in the runbook."
        yield RemarkKind.CHANGED, edit, edit.title, said


def _difference(event: Event) -> str:
    return difference(event.before, event.after) if isinstance(event, Changed) else ""


def _slow(events: Sequence[Event]) -> Iterator[_Seen]:
    """Return readings that took long, and long pauses before a step of an attended run."""
    attended = {run for run, start in queries.runs(events).items() if start.attended}
    before: dict[str, Event] = {}
    for event in events:
        if isinstance(event, Checked) and event.evidence.took_s >= SLOW_READING_S:
            yield (
                RemarkKind.SLOW,
                event,
                event.title,
                f"One reading took {words(event.evidence.took_s)}.",
            )
        known = before.get(event.run)
        if known and event.run in attended and isinstance(event, Checked | Decided | Acted):
            paused = (event.at - known.at).total_seconds() - _own_time(event)
            if paused >= LONG_PAUSE_S:
                step = getattr(event, "title", "") or "decide"
                yield RemarkKind.SLOW, event, step, f"{words(paused)} passed before it."
        before[event.run] = event


def _own_time(event: Checked | Decided | Acted) -> float:
    if isinstance(event, Checked):
        return event.evidence.took_s
    return event.took_s if isinstance(event, Acted) else 0.0


def _never_run(
    events: Sequence[Event], runs: Mapping[str, Started], copy: Path | None
) -> Iterator[_Seen]:
    """Return manual steps left open, and what a responder left out who ran it by hand.

    After a stop nothing was left out; nor is the fix, where there was nothing to fix.
    """
    if not runs:
        return
    last = events[-1]
    for asked in queries.open_questions(events):
        yield RemarkKind.SKIPPED, asked, asked.question, "Nobody answered it before the close."
    by_hand = any(started.attended for started in runs.values())
    if by_hand and copy and not queries.of(events, Stopped):
        ran = {(_verb(event), getattr(event, "title", "")) for event in events}
        ran |= {("ask", event.question) for event in queries.of(events, Asked)}
        for step in _wanted(copy, events):
            if (step.verb, step.title) not in ran:
                yield RemarkKind.SKIPPED, last, step.title, f"Its {step.verb} was never run."


def _wanted(copy: Path, events: Sequence[Event]) -> list[Step]:
    """Return the steps that a responder should have run."""
    decided = queries.decided(events)
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
