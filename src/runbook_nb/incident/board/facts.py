"""What a board holds: sections of steps, two clocks, and people; frozen data, times in UTC."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from runbook_nb.timeline.events import Approved, Decided, Event, Terms


class StepState(StrEnum):
    """Where a step stands: not run, or what its newest event says."""

    NOT_RUN = "not run"
    NOT_CHOSEN = "not chosen"
    PASS = "pass"  # noqa: S105 - a verdict
    WARN = "warn"
    UNKNOWN = "unknown"
    FAIL = "fail"
    DECIDED = "decided"
    BEGUN = "begun"
    DONE = "done"
    REHEARSED = "rehearsed"
    DECLINED = "declined"
    NOT_NEEDED = "not needed"
    FAILED = "failed"
    UNDONE = "undone"
    NOT_DONE = "not done"
    OPEN = "open"
    ANSWERED = "answered"
    NOTED = "noted"
    STOPPED = "stopped"


@dataclass(frozen=True, kw_only=True)
class BoardStep:
    """One step: what it is, where it stands, and its newest event; None where it did not run.

    ``seq`` is the number of that event on the timeline, 0 where there is none. ``stale`` tells that
    its reading is older than its freshness, ``changed`` that the responder ran another text than
    the runbook's.
    """

    verb: str
    title: str
    heading: str
    option: str = ""
    standing: StepState = StepState.NOT_RUN
    event: Event | None = None
    seq: int = 0
    stale: bool = False
    changed: bool = False


@dataclass(frozen=True, kw_only=True)
class Section:
    """One section of the notebook with its steps, in order."""

    name: str
    steps: tuple[BoardStep, ...]


@dataclass(frozen=True, kw_only=True)
class Due:
    """When something is due; ``left_s`` seconds remain, and below zero it is overdue."""

    at: datetime
    left_s: float


@dataclass(frozen=True, kw_only=True)
class Person:
    """Who took part, whether by hand, and their newest event."""

    name: str
    attended: bool
    event: Event


@dataclass(frozen=True, kw_only=True)
class Board:
    """An incident at one moment, seen through one runbook.

    ``update_due`` and ``escalation_due`` are None where no clock runs: after the close, and for a
    severity whose ``terms`` have none. ``approvals`` are those that hold now, the newest of each
    option and person. ``waiting`` are the steps that are still to run, in order.
    """

    incident: str
    title: str
    severity: str
    environment: str
    production: bool
    runbook: str
    drawn_at: datetime
    opened_at: datetime | None
    closed_at: datetime | None
    elapsed_s: float
    update_due: Due | None
    escalation_due: Due | None
    terms: Terms
    decided: Decided | None
    sections: tuple[Section, ...]
    people: tuple[Person, ...]
    approvals: tuple[Approved, ...] = ()
    waiting: tuple[BoardStep, ...] = ()

    @property
    def steps(self) -> tuple[BoardStep, ...]:
        """All steps, in order."""
        return tuple(step for section in self.sections for step in section.steps)

    @property
    def next_step(self) -> BoardStep | None:
        """The step to run next; None where nothing waits."""
        return self.waiting[0] if self.waiting else None
