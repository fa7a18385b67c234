"""What the record itself says went well, badly, or only by luck: facts, never opinions."""

from collections.abc import Iterator

from runbook_nb.record.facts import Record
from runbook_nb.record.facts.remarks import RemarkKind
from runbook_nb.text.durations import words
from runbook_nb.text.formatting import counted
from runbook_nb.timeline.events import IncidentStatus, Outcome


def well(record: Record) -> list[str]:
    """Return what did what it should."""
    return list(_well(record))


def badly(record: Record) -> list[str]:
    """Return what failed, was missed, or was waited for."""
    return [*_steps_that_did_not_serve(record), *_missed(record), *_ended_badly(record)]


def lucky(record: Record) -> list[str]:
    """Return where nothing but chance kept it from being worse."""
    return list(_lucky(record))


def _well(record: Record) -> Iterator[str]:
    if record.alert and record.alert.starts_at and record.opened_at:
        late = (record.opened_at - record.alert.starts_at).total_seconds()
        yield f"The alert {record.alert.name} opened it {words(max(late, 0))} after it began."
    for decision in record.decisions:
        if decision.option and decision.option == decision.recommended:
            yield f"The checks led to {decision.option}, and it was chosen."
    for action in record.actions:
        if action.is_done and action.acted and action.acted.took_s:
            rehearsed = "rehearsed, and " if action.event.rehearsal is not None else ""
            yield f"“{action.title}” was {rehearsed}done in {words(action.acted.took_s)}."
    if record.resolved.is_fixed:
        yield f"It was fixed, and {counted(len(record.resolved.passing), 'check')} pass since."
    if record.communication.is_kept:
        yield "No update was missed."


def _steps_that_did_not_serve(record: Record) -> Iterator[str]:
    for remark in record.remarks:
        if remark.kind is not RemarkKind.NOTE:
            step = f"“{remark.step}”: " if remark.step else ""
            yield f"{step}{remark.said} ({remark.kind} in {remark.runbook})"
    for action in record.actions:
        if action.was_cut_off or (action.acted and action.acted.outcome is Outcome.FAILED):
            yield f"“{action.title}” {action.said}."


def _missed(record: Record) -> Iterator[str]:
    if record.communication.missed:
        yield f"{record.communication.missed} updates were due and did not come."
    for wait in record.waits:
        said = f"waited {words(wait.took_s)}" if wait.took_s is not None else "was never given"
        yield f"The yes to {wait.option} {said}."


def _ended_badly(record: Record) -> Iterator[str]:
    for run in record.runs:
        if run.complete is False:
            yield f"The run of {run.runbook} did not come to its end: {run.reason or 'no reason'}."
        if run.complete is None and record.status is IncidentStatus.CLOSED:
            yield f"The run of {run.runbook} has no end on the timeline."
    for held in record.held:
        if held.broke_at:
            yield f"{held.title} was verified and {held.said}."


def _lucky(record: Record) -> Iterator[str]:
    for action in record.actions:
        acted = action.acted
        # An action that was done before is not needed either, and that is no luck.
        if acted and acted.outcome is Outcome.NOT_NEEDED and "passes now" in acted.reason:
            yield f"“{action.title}” was no longer needed when its turn came: {acted.reason}"
    if record.alert is None and record.opened_at:
        yield "No alert is on the timeline: it was opened by hand."
