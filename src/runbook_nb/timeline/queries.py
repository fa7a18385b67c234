"""Every question to the events of an incident; the order of the events decides, never a clock.

``events`` is a timeline, or the events of one, oldest first.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import TypeVar

from runbook_nb.timeline.attempts import Done, all_done, done, unsettled
from runbook_nb.timeline.by_kind import EventsByKind
from runbook_nb.timeline.events import (
    VERDICTS_BY_RANK,
    Acting,
    Alert,
    Alerted,
    Approved,
    Asked,
    Checked,
    Classified,
    Closed,
    Decided,
    Ended,
    Event,
    Noted,
    Opened,
    Settled,
    Started,
    Terms,
    Verdict,
    Verified,
)

# Questions to attempts are asked here as well.
__all__ = ["Done", "all_done", "done", "unsettled"]
E = TypeVar("E", bound=Event)


def of(events: Iterable[Event], kind: type[E]) -> list[E]:
    """Return all events of one kind, oldest first."""
    return [event for _, event in numbered(events, kind)]


def numbered(events: Iterable[Event], *kinds: type[E]) -> Iterator[tuple[int, E]]:
    """Return the events of some kinds with their numbers (``seq``, from 1), oldest first."""
    if isinstance(events, EventsByKind):
        return events.numbered(kinds)
    known = enumerate(events, start=1)
    return ((number, event) for number, event in known if isinstance(event, kinds))


def last(events: Iterable[Event], kind: type[E], **fields: object) -> E | None:
    """Return the newest event of a kind whose fields have these values."""
    matching = (
        event
        for _, event in _newest_first(events, kind)
        if all(getattr(event, name) == value for name, value in fields.items())
    )
    return next(matching, None)


def after(events: Sequence[Event], earlier: Event) -> list[Event]:
    """Return the events that came after one of them."""
    return list(events[_number_of(events, earlier) :])


def before(events: Sequence[Event], later: Event) -> list[Event]:
    """Return the events that came before one of them."""
    return list(events[: _number_of(events, later) - 1])


def _number_of(events: Iterable[Event], event: Event) -> int:
    return next(number for number, each in _newest_first(events, type(event)) if each == event)


def _newest_first(events: Iterable[Event], kind: type[E]) -> Iterator[tuple[int, E]]:
    if isinstance(events, EventsByKind):
        return events.newest_first(kind)
    return reversed(list(numbered(events, kind)))


def opened(events: Iterable[Event]) -> Opened | None:
    """Return how the incident began; None where its beginning is lost."""
    return next((event for _, event in numbered(events, Opened)), None)


def closed(events: Iterable[Event]) -> Closed | None:
    """Return how the incident was closed; None while it is open."""
    return next((event for _, event in numbered(events, Closed)), None)


def severity_of(events: Iterable[Event]) -> str:
    """Return the severity that the incident has now: as it was classified last, or opened."""
    known = events if isinstance(events, Sequence) else list(events)
    classified, first = last(known, Classified), opened(known)
    return classified.severity if classified else first.severity if first else ""


def first_alert(events: Iterable[Event]) -> Alert | None:
    """Return the alert that opened the incident, or the first that joined it."""
    return next(_alerts(events), None)


def alerts(events: Iterable[Event]) -> list[Alert]:
    """Return the alert that opened the incident and all that came to it, oldest first."""
    return list(_alerts(events))


def _alerts(events: Iterable[Event]) -> Iterator[Alert]:
    told: Iterator[tuple[int, Opened | Alerted]] = numbered(events, Opened, Alerted)
    return (event.alert for _, event in told if event.alert is not None)


def runs(events: Iterable[Event], runbook: str = "") -> dict[str, Started]:
    """Return each run, of one runbook if it is given, by its id: as its opening cell ran last."""
    return {start.run: start for start in of(events, Started) if runbook in ("", start.runbook)}


def runbooks(events: Sequence[Event]) -> tuple[str, ...]:
    """Return the runbooks that ran, in their order; before any run, that of the opening."""
    ran = [start.runbook for start in of(events, Started)]
    first = opened(events)
    return tuple(dict.fromkeys(ran or ([first.runbook] if first else [])))


def ended(events: Iterable[Event], run: str) -> Ended | None:
    """Return how a run came to its end; None where no end is known."""
    return last(events, Ended, run=run)


def newest(events: Iterable[Event]) -> dict[str, Checked]:
    """Return the newest reading of each check, in the order of their first reading."""
    return {event.title: event for event in of(events, Checked)}


def verified(events: Iterable[Event]) -> dict[str, Verified]:
    """Return the newest verification of each check, in the order of their first one."""
    return {event.title: event for event in of(events, Verified)}


def failed(events: Iterable[Event]) -> frozenset[str]:
    """Return the titles of the checks that failed at any time."""
    return frozenset(check.title for check in of(events, Checked) if check.verdict is Verdict.FAIL)


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the worst verdict; unknown when there is none, since nothing was read."""
    return max(verdicts, key=VERDICTS_BY_RANK.index, default=Verdict.UNKNOWN)


def verdict_of(events: Iterable[Event], run: str) -> Verdict:
    """Return the worst verdict of a run, each check by its newest reading or verification."""
    latest = {
        event.title: event.verdict
        for event in events
        if event.run == run and isinstance(event, Checked | Verified)
    }
    return worst(latest.values())


def decided(events: Iterable[Event], within: Collection[str] | None = None) -> Decided | None:
    """Return the newest decision, of the runs ``within`` if they are given."""
    own = [event for event in of(events, Decided) if within is None or event.run in within]
    return own[-1] if own else None


def decided_in(events: Sequence[Event], runbook: str, *, run: str) -> Decided | None:
    """Return the newest decision of a runbook's runs and of ``run``.

    A decision that another runbook led to in the same incident is not it.
    """
    known = list(events)
    return decided(known, {run, *runs(known, runbook)})


def approvals(events: Iterable[Event], option: str) -> list[Approved]:
    """Return all approvals of an option, the newest first."""
    return [event for event in reversed(of(events, Approved)) if event.option == option]


def begun(events: Iterable[Event], title: str) -> Acting | None:
    """Return the newest attempt of that title that nobody saw end: it may be half done."""
    open_ones = [each.acting for each in unsettled(events) if each.acting.title == title]
    return open_ones[-1] if open_ones else None


def done_after(events: Sequence[Event], earlier: Done) -> str | None:
    """Return the title of another action that was done later and still stands."""
    later = (other.title for other in all_done(after(events, earlier)) if done(events, other.title))
    return next((title for title in later if title != earlier.title), None)


def may_have_changed(events: Iterable[Event]) -> bool:
    """Tell whether an action was sent or settled here, or a person did or said something.

    What was read before it says nothing about now.
    """
    return any(
        isinstance(event, Acting | Settled | Noted)
        or (isinstance(event, Asked) and bool(event.answer))
        for event in events
    )


def standing(events: Sequence[Event]) -> list[Done]:
    """Return the actions that are done and were not undone since, the newest of each title."""
    titles = dict.fromkeys(event.title for event in all_done(events))
    found = (done(events, title) for title in titles)
    return [event for event in found if event is not None]


def in_environment(events: Iterable[Event], environment: str) -> list[Event]:
    """Return the events of the runs in one environment, and those of no known run."""
    known = list(events)
    others = {run for run, start in runs(known).items() if start.environment != environment}
    return [event for event in known if event.run not in others]


def terms_of(events: Iterable[Event]) -> Terms:
    """Return the terms that the incident was opened with."""
    first = opened(events)
    return first.terms if first else Terms()


def manual_steps(events: Iterable[Event]) -> tuple[Asked, ...]:
    """Return the newest state of each manual step, an answer before an open question."""
    steps: dict[str, Asked] = {}
    for event in of(events, Asked):
        known = steps.get(event.question)
        if known is None or known.answer is None or event.answer is not None:
            steps[event.question] = event
    return tuple(steps.values())


def open_questions(events: Iterable[Event]) -> tuple[Asked, ...]:
    """Return the manual steps that somebody still has to answer."""
    return tuple(step for step in manual_steps(events) if step.is_open)
