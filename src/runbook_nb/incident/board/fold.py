"""Fold a timeline onto the steps of a runbook."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from runbook_nb.incident.board.clocks import escalation_due, is_stale, update_due
from runbook_nb.incident.board.facts import Board, BoardStep, Due, Person, Section, StepState
from runbook_nb.incident.board.trace import Key, Trace, Tracer
from runbook_nb.incident.messages import messages
from runbook_nb.runbook.runbook import Runbook
from runbook_nb.runbook.steps import Step
from runbook_nb.timeline import queries
from runbook_nb.timeline.events import Approved, Checked, Decided, Event, Opened, Started, Terms

STRAY = "Not in the runbook"
_SILENT = frozenset({"note", "stop", "undo"})  # run when there is something to say or take back


def board_of(timeline: Sequence[Event], runbook: Runbook, *, now: datetime) -> Board:
    """Return the board of an incident as of ``now``, by the steps of one of its runbooks."""
    return BoardFold(timeline, runbook).board(now=now)


class BoardFold:
    """A timeline folded onto the steps of a runbook, an event at a time: each is looked at once.

    Events of another runbook of the same incident count for the clocks and the people only.
    """

    def __init__(self, timeline: Sequence[Event], runbook: Runbook) -> None:
        self._timeline, self._runbook = timeline, runbook
        self._begin_anew(frozenset())

    def board(self, *, now: datetime) -> Board:
        """Return the board as of ``now``."""
        events, runbook = self._timeline, self._runbook
        starts = self._take_in()
        opened, closed = queries.opened(events), queries.closed(events)
        own = (event for event in queries.of(events, Decided) if event.run not in self._others)
        decided = queries.decided(own)
        sections = _sections(runbook, self._tracer.traces, decided, now=None if closed else now)
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
            people=self._people(starts),
            approvals=() if closed else _approvals(events, now=now),
            waiting=() if closed else _waiting(sections, decided),
        )

    def _begin_anew(self, others: frozenset[str]) -> None:
        self._others, self._taken = others, 0
        self._tracer = Tracer()
        self._last_of: dict[str, Event] = {}

    def _take_in(self) -> dict[str, Started]:
        """Take in what came since the last look, and return every run as it started."""
        starts = queries.runs(self._timeline)
        name = self._runbook.name
        others = frozenset(run for run, started in starts.items() if started.runbook != name)
        if others != self._others:
            self._begin_anew(others)
        for seq, event in enumerate(self._timeline[self._taken :], start=self._taken + 1):
            self._taken = seq
            if event.run not in others:
                self._tracer.take(seq, event)
            if event.by:
                self._last_of.pop(event.by, None)
                self._last_of[event.by] = event
        return starts

    def _people(self, starts: Mapping[str, Started]) -> tuple[Person, ...]:
        """Return who took part, newest last, each with what they did last."""
        by_hand = {started.by for started in starts.values() if started.attended}
        return tuple(
            Person(name=name, attended=name in by_hand, event=event)
            for name, event in self._last_of.items()
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


def _approvals(events: Sequence[Event], *, now: datetime) -> tuple[Approved, ...]:
    """Return the approvals that have not run out, the newest of each option and person."""
    newest = {(each.option, each.by): each for each in queries.of(events, Approved)}
    return tuple(each for each in newest.values() if now < each.expires_at)


def _environment(opened: Opened | None, starts: dict[str, Started]) -> str:
    """Return where it happens; a run in production tells more than where it was opened."""
    production = (start.environment for start in starts.values() if start.production)
    return next(production, opened.environment if opened else "")


def _sections(
    runbook: Runbook, seen: Mapping[Key, Trace], decided: Decided | None, *, now: datetime | None
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
        seq=trace.seq,
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
        seq=trace.seq,
        changed=trace.changed,
    )


def _waiting(sections: Sequence[Section], decided: Decided | None) -> tuple[BoardStep, ...]:
    """Return the steps to run; no verification once it was found that there is nothing to fix.

    What was verified before an action was done is to be verified again.
    """
    steps = [step for section in sections for step in section.steps if step.verb not in _SILENT]
    acts = (step for step in steps if step.verb == "act" and step.standing is StepState.DONE)
    done = max((step.seq for step in acts), default=0)
    waiting = tuple(step for step in steps if _waits(step, done=done))
    settled = decided is not None and decided.option is None
    return () if settled and waiting and waiting[0].verb == "verify" else waiting


def _waits(step: BoardStep, *, done: int) -> bool:
    """Tell whether a step is still to run; ``done`` is the number of the last done action."""
    is_outdated = step.verb == "verify" and step.event is not None and step.seq < done
    return step.standing is StepState.NOT_RUN or is_outdated
