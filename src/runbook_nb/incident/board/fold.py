"""Fold a timeline onto the steps of a runbook."""

from collections.abc import Sequence
from datetime import datetime

from runbook_nb.incident.board.clocks import escalation_due, is_stale, update_due
from runbook_nb.incident.board.facts import Board, BoardStep, Due, Person, Section, StepState
from runbook_nb.incident.board.trace import Key, Trace, traces
from runbook_nb.incident.messages import messages
from runbook_nb.runbook.runbook import Runbook
from runbook_nb.runbook.steps import Step
from runbook_nb.timeline import queries
from runbook_nb.timeline.events import Checked, Decided, Event, Opened, Started, Terms

STRAY = "Not in the runbook"
_SILENT = frozenset({"note", "stop", "undo"})  # run when there is something to say or take back


def board_of(timeline: Sequence[Event], runbook: Runbook, *, now: datetime) -> Board:
    """Return the board of an incident as of ``now``, by the steps of one of its runbooks.

    Events of another runbook of the same incident count for the clocks and the people only.
    """
    events = list(timeline)
    opened, closed = queries.opened(events), queries.closed(events)
    starts = queries.runs(events)
    others = {run for run, started in starts.items() if started.runbook != runbook.name}
    own = [event for event in events if event.run not in others]
    decided = queries.decided(own)
    sections = _sections(runbook, traces(own), decided, now=None if closed else now)
    severity = queries.severity_of(events) or str(runbook.front.get("severity", ""))
    update, escalation = (None, None) if closed else _due(events, opened, severity, now=now)
    ends = closed.at if closed else now
    return Board(
        incident=opened.incident if opened else "",
        title=opened.title if opened else runbook.title,
        severity=severity,
        environment=_environment(opened, starts),
        production=any(started.production for started in starts.values()),
        runbook=runbook.name,
        drawn_at=now,
        opened_at=opened.at if opened else None,
        closed_at=closed.at if closed else None,
        elapsed_s=(ends - opened.at).total_seconds() if opened else 0.0,
        update_due=update,
        escalation_due=escalation,
        terms=opened.terms if opened else Terms(),
        decided=decided,
        sections=sections,
        people=_people(events, starts),
        waiting=() if closed else _waiting(sections, decided, events),
    )


def _due(
    events: Sequence[Event], opened: Opened | None, severity: str, *, now: datetime
) -> tuple[Due | None, Due | None]:
    """Return when an update and when an escalation is due."""
    if opened is None:
        return None, None
    told, terms = messages(events), opened.terms.of(severity)
    return (
        update_due(told, terms=terms, opened_at=opened.at, now=now),
        escalation_due(told, terms=terms, opened_at=opened.at, now=now),
    )


def _environment(opened: Opened | None, starts: dict[str, Started]) -> str:
    """Return where it happens; a run in production tells more than where it was opened."""
    production = (start.environment for start in starts.values() if start.production)
    return next(production, opened.environment if opened else "")


def _sections(
    runbook: Runbook, seen: dict[Key, Trace], decided: Decided | None, *, now: datetime | None
) -> tuple[Section, ...]:
    """Lay what was seen over the runbook's steps; what belongs to none of them comes last.

    Without ``now`` nothing is stale: the incident is over.
    """
    rest, sections = dict(seen), dict[str, list[BoardStep]]()
    for step in runbook.steps:
        trace = rest.pop((step.verb, "" if step.verb == "decide" else step.title), None)
        placed = _seen(step, trace, decided, now=now) if trace else _unseen(step, decided)
        sections.setdefault(step.section, []).append(placed)
    stray = [
        _stray(verb, title, trace) for (verb, title), trace in rest.items() if verb not in _SILENT
    ]
    if stray:
        sections[STRAY] = stray
    return tuple(Section(name=name, steps=tuple(steps)) for name, steps in sections.items())


def _seen(step: Step, trace: Trace, decided: Decided | None, *, now: datetime | None) -> BoardStep:
    event, standing = trace.event, trace.standing
    # Nobody declined what was never offered.
    if standing is StepState.DECLINED and _passed_over(step, decided):
        standing = StepState.NOT_CHOSEN
    return BoardStep(
        verb=step.verb,
        title=step.title,
        heading=step.heading,
        option=step.option,
        standing=standing,
        event=event,
        stale=now is not None and isinstance(event, Checked) and is_stale(event, now=now),
        changed=trace.changed,
    )


def _unseen(step: Step, decided: Decided | None) -> BoardStep:
    return BoardStep(
        verb=step.verb,
        title=step.title,
        heading=step.heading,
        option=step.option,
        standing=StepState.NOT_CHOSEN if _passed_over(step, decided) else StepState.NOT_RUN,
    )


def _passed_over(step: Step, decided: Decided | None) -> bool:
    return bool(step.option) and decided is not None and decided.option != step.option


def _stray(verb: str, title: str, trace: Trace) -> BoardStep:
    return BoardStep(
        verb=verb,
        title=title or verb,
        heading="",
        standing=trace.standing,
        event=trace.event,
        changed=trace.changed,
    )


def _waiting(
    sections: Sequence[Section], decided: Decided | None, events: Sequence[Event]
) -> tuple[BoardStep, ...]:
    """Return the steps to run; no verification once it was found that there is nothing to fix.

    What was verified before an action was done is to be verified again.
    """
    steps = [step for section in sections for step in section.steps if step.verb not in _SILENT]
    acts = (step for step in steps if step.verb == "act" and step.standing is StepState.DONE)
    done = max((events.index(step.event) for step in acts if step.event), default=0)
    waiting = tuple(step for step in steps if _waits(step, events[:done]))
    settled = decided is not None and decided.option is None
    return () if settled and waiting and waiting[0].verb == "verify" else waiting


def _waits(step: BoardStep, outdated: Sequence[Event]) -> bool:
    """Tell whether a step is still to run; ``outdated`` came before the last done action."""
    is_outdated = step.verb == "verify" and step.event in outdated
    return step.standing is StepState.NOT_RUN or is_outdated


def _people(events: Sequence[Event], starts: dict[str, Started]) -> tuple[Person, ...]:
    """Return who took part, newest last, each with what they did last."""
    last: dict[str, Event] = {}
    for event in events:
        if event.by:
            last.pop(event.by, None)
            last[event.by] = event
    by_hand = {started.by for started in starts.values() if started.attended}
    return tuple(
        Person(name=name, attended=name in by_hand, event=event) for name, event in last.items()
    )
