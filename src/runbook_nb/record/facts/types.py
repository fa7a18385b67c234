"""The facts of an incident, folded from its timeline: frozen, and made of the events themselves."""

from dataclasses import dataclass
from datetime import datetime

from runbook_nb.text.values import Json
from runbook_nb.timeline.events import (
    Acted,
    Acting,
    Checked,
    Outcome,
    Settled,
    Settlement,
    Undone,
    Verdict,
    Verified,
)

CUT_OFF = "cut off, may be half done"


@dataclass(frozen=True, kw_only=True)
class RunFacts:
    """One run of a runbook.

    ``complete`` is None where no end was recorded. ``last_step`` is the last thing it wrote, and
    ``stopped`` why it ended early on purpose. ``order`` is the service's, and ``attempt``
    which one of it, from 1.
    """

    run: str
    runbook: str
    runbook_digest: str
    environment: str
    by: str
    attended: bool
    parameters: dict[str, Json]
    versions: dict[str, str]
    notebook: str
    started_at: datetime
    production: bool = False
    ended_at: datetime | None = None
    complete: bool | None = None
    reason: str = ""
    stopped: str = ""
    last_step: str = ""
    order: str = ""
    attempt: int = 0

    @property
    def took_s(self) -> float | None:
        """How long the run took in seconds, where its end is known."""
        return (self.ended_at - self.started_at).total_seconds() if self.ended_at else None


@dataclass(frozen=True, kw_only=True)
class ReadingFacts:
    """One reading of a check: the number of its event, when, by which run, and what it was."""

    seq: int
    at: datetime
    run: str
    verdict: Verdict
    answer: Json = None
    unit: str = ""


@dataclass(frozen=True, kw_only=True)
class CheckFacts:
    """One check by its title: the first reading, the last one, and the worst verdict between.

    ``readings`` holds all of them, oldest first.
    """

    title: str
    before: Checked | Verified
    after: Checked | Verified | None = None
    readings: tuple[ReadingFacts, ...]
    worst: Verdict

    @property
    def last(self) -> Checked | Verified:
        """The newest reading."""
        return self.after or self.before

    @property
    def verdict(self) -> Verdict:
        """The newest verdict."""
        return self.last.verdict


@dataclass(frozen=True, kw_only=True)
class ActionFacts:
    """One attempt at an action: begun, with its outcome, taken back.

    ``acting`` without ``acted`` was cut off; so was ``undoing`` without ``undone``. ``not_chosen``
    marks one that was passed over because its option was not the one decided for. ``because`` are
    those of the checks it names that failed when they were last read before it. ``settled`` and
    ``undo_settled`` are what was found out of an attempt that nobody saw end.
    """

    title: str
    acting: Acting | None = None
    acted: Acted | None = None
    undoing: Acting | None = None
    undone: Undone | None = None
    not_chosen: bool = False
    because: tuple[str, ...] = ()
    settled: Settled | None = None
    undo_settled: Settled | None = None

    @property
    def event(self) -> Acting | Acted:
        """The event that tells most of it."""
        told = self.acted or self.acting
        assert told is not None  # noqa: S101 - folded from one of the two
        return told

    @property
    def was_cut_off(self) -> bool:
        """Whether it was sent, or its undo was, and nobody knows what became of it."""
        cut_off = self.acted is None and self.settled is None
        undoing = self.undoing is not None and self.undone is None and self.undo_settled is None
        return cut_off or undoing

    @property
    def done(self) -> Acted | Settled | None:
        """The event that says it was done, whether or not it was taken back."""
        if self.acted is not None and self.acted.outcome is Outcome.DONE:
            return self.acted
        settled = self.settled
        return settled if settled and settled.outcome is Settlement.DONE else None

    @property
    def is_done(self) -> bool:
        """Whether it was done and not taken back."""
        return self.done is not None and not self.is_undone

    @property
    def is_undone(self) -> bool:
        """Whether its undo was done."""
        if self.undone is not None and self.undone.outcome is Outcome.DONE:
            return True
        return self.undo_settled is not None and self.undo_settled.outcome is Settlement.DONE

    @property
    def said(self) -> str:
        """The outcome in words."""
        outcome = _said_of(self.acted, self.settled)
        if self.undo_settled is not None:
            return f"{outcome}, undo {_said_of(self.undone, self.undo_settled)}"
        if self.undone is not None:
            return f"{outcome}, then undo {self.undone.outcome.replace('_', ' ')}"
        return f"{outcome}, undo {CUT_OFF}" if self.undoing else outcome


def _said_of(ended: Acted | Undone | None, settled: Settled | None) -> str:
    """Say what became of an attempt: how it ended, and what was found out of it since."""
    told = [ended.outcome if ended else CUT_OFF if settled is None else "cut off"]
    told += [f"settled as {settled.outcome}"] if settled else []
    return ", ".join(told).replace("_", " ")


@dataclass(frozen=True, kw_only=True)
class Integrity:
    """Whether the timeline is as it was written: its head hash and number of events."""

    valid: bool
    head: str
    events: int
    message: str
