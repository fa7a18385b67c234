"""The phases of an incident: when each was reached, and how long people waited for a yes."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from runbook_nb.incident.statement import signer
from runbook_nb.record.facts.resolution import Resolution
from runbook_nb.text.durations import words
from runbook_nb.text.formatting import counted
from runbook_nb.timeline import queries
from runbook_nb.timeline.events import (
    Acted,
    Approved,
    Decided,
    Event,
    Outcome,
    Started,
)

PHASES: Final = ("Detected", "Acknowledged", "Diagnosed", "Mitigated", "Verified", "Closed")


@dataclass(frozen=True, kw_only=True)
class PhaseFacts:
    """One phase: when it was reached, in how many seconds after the one before, and by what.

    ``at`` is None where it was not reached, or nobody wrote down that it was.
    """

    name: str
    at: datetime | None = None
    took_s: float | None = None
    how: str = ""

    @property
    def said(self) -> str:
        """The duration in words."""
        if self.at is None:
            return "not reached"
        return "" if self.took_s is None else f"after {words(self.took_s)}"


@dataclass(frozen=True, kw_only=True)
class WaitFacts:
    """How long an option waited for its approval; without ``given_at`` nobody gave it.

    ``key`` is the fingerprint of the one that signed it, if any did.
    """

    option: str
    asked_at: datetime
    given_at: datetime | None = None
    by: str = ""
    key: str = ""

    @property
    def took_s(self) -> float | None:
        """The seconds from asking to the yes."""
        return (self.given_at - self.asked_at).total_seconds() if self.given_at else None


def fold_phases(events: Sequence[Event], resolved: Resolution) -> tuple[PhaseFacts, ...]:
    """Return all phases in their order; one that comes before an earlier one is left unreached.

    What did not help has mitigated nothing.
    """
    closed = queries.closed(events)
    mitigated, verified = resolved.changed_at, resolved.verified_at
    reached = (
        _detected(events),
        _acknowledged(events),
        _diagnosed(events),
        (mitigated, resolved.action) if resolved.is_fixed and mitigated else None,
        (verified, counted(len(resolved.passing), "check")) if verified else None,
        (closed.at, closed.by) if closed else None,
    )
    phases: list[PhaseFacts] = []
    before: datetime | None = None
    for name, found in zip(PHASES, reached, strict=True):
        if found is None or (before is not None and found[0] < before):
            phases.append(PhaseFacts(name=name))
            continue
        at, how = found
        took_s = (at - before).total_seconds() if before else None
        phases.append(PhaseFacts(name=name, at=at, took_s=took_s, how=how))
        before = at
    return tuple(phases)


def fold_waits(events: Sequence[Event]) -> tuple[WaitFacts, ...]:
    """Return each time an option was refused for want of an approval, and when it got one."""
    waits: dict[str, WaitFacts] = {}
    done: list[WaitFacts] = []
    for event in events:
        if isinstance(event, Acted) and event.outcome is Outcome.REHEARSED:
            waits.setdefault(event.option, WaitFacts(option=event.option, asked_at=event.at))
        elif isinstance(event, Approved) and event.option in waits:
            asked = waits.pop(event.option)
            done.append(replace(asked, given_at=event.at, by=event.by, key=signer(event)))
    return (*done, *waits.values())


def clock_stops(events: Sequence[Event], phases: Sequence[PhaseFacts]) -> datetime | None:
    """Return until when people had to be told: verified, else closed, else the last event."""
    reached = {phase.name: phase.at for phase in phases}
    return reached["Verified"] or reached["Closed"] or (events[-1].at if events else None)


_Reached = tuple[datetime, str] | None


def _detected(events: Sequence[Event]) -> _Reached:
    opened = queries.opened(events)
    if opened is None:
        return None
    alert = queries.first_alert(events)
    if alert and alert.starts_at and alert.starts_at <= opened.at:
        return alert.starts_at, f"alert {alert.name}"
    return opened.at, f"arrival of alert {alert.name}" if alert else f"opened by {opened.by}"


def _acknowledged(events: Sequence[Event]) -> _Reached:
    first = next(iter(queries.of(events, Started)), None)
    if first is None:
        return None
    return first.at, f"{first.by}, by hand" if first.attended else f"{first.by}, by command"


def _diagnosed(events: Sequence[Event]) -> _Reached:
    """Return the first decision: what a later run decides was known by then."""
    decided = next(iter(queries.of(events, Decided)), None)
    return (decided.at, decided.option or "nothing chosen") if decided else None
