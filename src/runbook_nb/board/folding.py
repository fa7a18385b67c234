"""Fold a timeline onto the steps of a runbook."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from runbook_nb.board.clocks import escalation_due, is_stale, update_due
from runbook_nb.board.facts import Board, BoardStep, Person, Section, Standing
from runbook_nb.messages import messages
from runbook_nb.model import (
    UNDO,
    Acted,
    Acting,
    Asked,
    Changed,
    Checked,
    Closed,
    Decided,
    Event,
    Noted,
    Opened,
    Outcome,
    Started,
    Stopped,
    Undone,
    Verified,
)
from runbook_nb.runbook import Runbook

STRAY = "Not in the runbook"
_SILENT = frozenset({"note", "stop"})  # a responder runs these when there is something to say
_LEFT_ALONE = frozenset({Standing.NOT_NEEDED, Standing.DECLINED, Standing.REHEARSED})

_Key = tuple[str, str]


def board_of(timeline: Sequence[Event], runbook: Runbook, *, now: datetime) -> Board:
    """Return the board of an incident as of ``now``, by the steps of one of its runbooks.

    Events of another runbook of the same incident count for the clocks and the people only.
    """
    events = list(timeline)
    opened = next((event for event in events if isinstance(event, Opened)), None)
    closed = next((event for event in events if isinstance(event, Closed)), None)
    began = opened.at if opened else None
    starts = {event.run: event for event in events if isinstance(event, Started)}
    others = {run for run, started in starts.items() if started.runbook != runbook.name}
    own = [event for event in events if event.run not in others]
    decided = next((event for event in reversed(own) if isinstance(event, Decided)), None)
    seen = _newest(own)
    if closed is None:
        seen = {key: _aged(step, now) for key, step in seen.items()}
    sections = _sections(runbook, seen, decided)
    running, told = closed is None, messages(events)
    severity = opened.severity if opened else str(runbook.front.get("severity", ""))
    return Board(
        incident=opened.incident if opened else "",
        title=opened.title if opened else runbook.title,
        severity=severity,
        environment=_environment(opened, starts),
        production=any(started.production for started in starts.values()),
        runbook=runbook.name,
        drawn_at=now,
        opened_at=began,
        closed_at=closed.at if closed else None,
        elapsed_s=((closed.at if closed else now) - began).total_seconds() if began else 0.0,
        update_due=update_due(told, opened_at=began, now=now) if began and running else None,
        escalation_due=escalation_due(told, severity=severity, opened_at=began, now=now)
        if began and running
        else None,
        decided=decided,
        sections=sections,
        people=_people(events, starts),
        next_step=None if closed else _next_step(sections, decided),
    )


def _environment(opened: Opened | None, starts: dict[str, Started]) -> str:
    """Return where it happens; a run in production tells more than where it was opened."""
    production = (start.environment for start in starts.values() if start.production)
    return next(production, opened.environment if opened else "")


def _newest(events: Sequence[Event]) -> dict[_Key, BoardStep]:
    """Return what the events say of each step, in the order in which the steps first ran."""
    seen: dict[_Key, BoardStep] = {}
    edited: set[tuple[str, _Key]] = set()
    for event in events:
        if isinstance(event, Changed):
            edited.add((event.run, (event.verb, event.title)))
        told = _told(event)
        if told is not None:
            (verb, title), standing = told
            known = seen.get((verb, title)) or BoardStep(verb=verb, title=title, heading="")
            if _is_the_step(event):
                mark = (event.run, (verb, title))
                known = replace(known, changed=mark in edited)
                edited.discard(mark)
            # To leave a done action alone does not undo it.
            if not (known.standing is Standing.DONE and standing in _LEFT_ALONE):
                seen[verb, title] = replace(known, standing=standing, event=event)
        if isinstance(event, Undone) and event.outcome is Outcome.DONE:
            act = seen.get(("act", event.title))
            if act:
                seen["act", event.title] = replace(act, standing=Standing.UNDONE, event=event)
    return seen


def _is_the_step(event: Event) -> bool:
    """Tell whether an event ends its step's cell; a reading for an action and its start do not."""
    rereads = isinstance(event, Checked) and event.purpose != "check"
    return not rereads and not isinstance(event, Acting)


def _aged(step: BoardStep, now: datetime) -> BoardStep:
    """Mark a reading that is older than its freshness."""
    stale = isinstance(step.event, Checked) and is_stale(step.event, now=now)
    return replace(step, stale=stale)


def _told(event: Event) -> tuple[_Key, Standing] | None:
    """Return which step an event is about and where that stands now; None for no step."""
    match event:
        case Checked() | Verified():
            verb = "check" if isinstance(event, Checked) else "verify"
            return (verb, event.title), Standing(event.verdict.value)
        case Acting() | Acted() | Undone():
            return _told_of_action(event)
        case Asked():
            answered = event.answer is not None
            return ("ask", event.question), Standing.ANSWERED if answered else Standing.OPEN
        case Decided():
            return ("decide", ""), Standing.DECIDED
        case _:
            return _told_in_words(event)


def _told_in_words(event: Event) -> tuple[_Key, Standing] | None:
    if isinstance(event, Stopped):
        return ("stop", event.reason), Standing.STOPPED
    if isinstance(event, Noted) and event.by:
        return ("note", event.text), Standing.NOTED
    return None


def _told_of_action(event: Acting | Acted | Undone) -> tuple[_Key, Standing]:
    undoes = isinstance(event, Undone) or event.title.startswith(UNDO)
    key = ("undo" if undoes else "act", event.title.removeprefix(UNDO))
    if isinstance(event, Acting):
        return key, Standing.BEGUN
    return key, Standing(event.outcome.replace("_", " "))


def _sections(
    runbook: Runbook, seen: dict[_Key, BoardStep], decided: Decided | None
) -> tuple[Section, ...]:
    """Lay what was seen over the runbook's steps; what belongs to none of them comes last."""
    rest, sections = dict(seen), dict[str, list[BoardStep]]()
    for step in runbook.steps:
        key = (step.verb, "" if step.verb == "decide" else step.title)
        found = rest.pop(key, None) or BoardStep(verb=step.verb, title="", heading="")
        if found.event is None and step.option and decided and decided.option != step.option:
            found = replace(found, standing=Standing.NOT_CHOSEN)
        placed = replace(found, title=step.title, heading=step.heading, option=step.option)
        sections.setdefault(step.section, []).append(placed)
    stray = [step for (verb, _), step in rest.items() if verb not in _SILENT | {"undo"}]
    if stray:
        sections[STRAY] = stray
    return tuple(Section(name=name, steps=tuple(steps)) for name, steps in sections.items())


def _next_step(sections: Sequence[Section], decided: Decided | None) -> BoardStep | None:
    """Return the first step to run; none once it was found that there is nothing to fix."""
    steps = (step for section in sections for step in section.steps)
    waiting = (step for step in steps if step.verb not in _SILENT | {"undo"})
    first = next((step for step in waiting if step.standing is Standing.NOT_RUN), None)
    settled = decided is not None and decided.option is None
    return None if first and settled and first.verb == "verify" else first


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
