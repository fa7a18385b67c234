"""The words of an incident as data: verdicts, outcomes, evidence, alerts, events.

Everything here is frozen and knows nothing of files, clocks or screens.
Times are aware UTC; durations are in seconds.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Final

from runbook_nb.text.values import Json

# How long a reading stands for the present: acute checks look back 15 minutes, and updates go out
# as often.
FRESH_S: Final = 900.0

# A timeline keeps no more rows of one list; figures that were cut would read as if they were all.
FIGURES_LIMIT: Final = 20

# How an action is titled that takes another one back.
UNDO = "Undo: "

# How a drill closes its incidents; a drill is no night to learn from.
DRILL = "drill"


class Verdict(StrEnum):
    """What a check concludes, ranked for the eye and for exit codes."""

    PASS = "pass"  # noqa: S105 - a verdict
    WARN = "warn"
    UNKNOWN = "unknown"
    FAIL = "fail"


# Worst last: an unknown is worse than a warning, since nobody has looked.
VERDICTS_BY_RANK = (Verdict.PASS, Verdict.WARN, Verdict.UNKNOWN, Verdict.FAIL)


class Outcome(StrEnum):
    """What became of an action."""

    DONE = "done"
    REHEARSED = "rehearsed"
    DECLINED = "declined"
    NOT_NEEDED = "not_needed"
    FAILED = "failed"


class Settlement(StrEnum):
    """What was found of an attempt that nobody saw end."""

    DONE = "done"
    NOT_DONE = "not_done"


class IncidentStatus(StrEnum):
    """Where an incident stands."""

    OPEN = "open"
    CLOSED = "closed"


@dataclass(frozen=True, kw_only=True)
class ImpactFigure:
    """One figure of what users feel: ``8 of 20``; the larger its ``weight``, the worse it is.

    Raises TypeError and ValueError for what a timeline could not give back.
    """

    name: str
    value: str
    weight: float

    def __post_init__(self) -> None:
        """Refuse a figure that is no text, and a weight that does not compare."""
        if not isinstance(self.name, str) or not isinstance(self.value, str):
            message = (
                f"The name and the value of an impact figure are text; write {self.value!r} out."
            )
            raise TypeError(message)
        if not math.isfinite(self.weight):
            message = f"The weight of {self.name!r} is {self.weight}; give a finite number."
            raise ValueError(message)


@dataclass(frozen=True, kw_only=True)
class Impact:
    """How much is affected, as a probe measured it, and the severity that makes it; "" if none."""

    figures: tuple[ImpactFigure, ...]
    severity: str = ""

    def __post_init__(self) -> None:
        """Refuse more figures than a timeline keeps whole."""
        if len(self.figures) > FIGURES_LIMIT:
            message = f"{len(self.figures)} impact figures; give at most {FIGURES_LIMIT}."
            raise ValueError(message)


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What was asked and what came back.

    ``answer`` is a number, a word or a list of rows; ``unit`` belongs to it. ``asked`` holds the
    resolved questions (SQL, HTTP requests), ``source`` where they went, ``took_s`` the time.
    ``reason`` says why there is no answer; it is empty when there is one. ``impact`` is there
    where the probe measured what users feel.
    """

    question: str
    answer: Json = None
    unit: str = ""
    source: str = ""
    asked: tuple[str, ...] = ()
    detail: Json = None
    took_s: float = 0.0
    read_at: datetime
    reason: str = ""
    impact: Impact | None = None


@dataclass(frozen=True, kw_only=True)
class Alert:
    """One alert as an alert manager delivers it.

    ``fingerprint`` identifies the alert across deliveries of the same trouble.
    """

    name: str
    fingerprint: str
    severity: str = ""
    summary: str = ""
    description: str = ""
    labels: dict[str, str] = field(default_factory=dict)
    starts_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Option:
    """A way to resolve: its heading, and how strongly the verdicts speak for it.

    ``first`` says why it goes before others whatever speaks for those.
    """

    heading: str
    failed: tuple[str, ...] = ()
    warned: tuple[str, ...] = ()
    first: str = ""


@dataclass(frozen=True, kw_only=True)
class SeverityTerms:
    """One severity with its clocks, in seconds; None where there is no such clock."""

    name: str
    update_every_s: float | None = None
    escalate_after_s: float | None = None


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What the organisation had decided when the incident opened; severities are worst first.

    It stands on the timeline, so that a record is read by the terms of its own day. ``next_level``
    are the roles that an incident is escalated to; ``problem`` says why nothing could be read.
    """

    severities: tuple[SeverityTerms, ...] = ()
    next_level: tuple[str, ...] = ()
    update_channel: str = ""
    closing_channel: str = ""
    problem: str = ""

    def of(self, severity: str) -> SeverityTerms | None:
        """Return the terms of a severity, however it is spelled: ``SEV1``, ``sev-1``."""
        wanted = _plain(severity)
        return next((each for each in self.severities if _plain(each.name) == wanted), None)

    def worst(self, names: Iterable[str]) -> str | None:
        """Return the worst of these severities; None where the terms know none of them."""
        known = [name for name in names if self.of(name)]
        return min(known, key=self._rank, default=None)

    def _rank(self, name: str) -> int:
        known = self.of(name)
        return self.severities.index(known) if known else len(self.severities)


@dataclass(frozen=True, kw_only=True)
class FollowUp:
    """What is to be done after the incident, and by whom; ``owner`` is empty where nobody is."""

    text: str
    owner: str = ""


@dataclass(frozen=True, kw_only=True)
class ClosingStatement:
    """What who closes an incident knows of it and no reading says; what is empty was not said."""

    cause: str = ""
    commander: str = ""
    users_saw: str = ""
    follow_ups: tuple[FollowUp, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Event:
    """One line of the timeline, in the past tense."""

    kind: ClassVar[str] = "event"

    at: datetime
    run: str = ""
    by: str = ""


@dataclass(frozen=True, kw_only=True)
class Opened(Event):
    """The incident was opened, by hand or by an alert."""

    kind: ClassVar[str] = "opened"

    incident: str
    title: str
    severity: str
    runbook: str
    environment: str
    alert: Alert | None = None
    terms: Terms = Terms()


@dataclass(frozen=True, kw_only=True)
class Reported(Event):
    """Somebody said in words what is wrong; ``by`` is who wrote them down here."""

    kind: ClassVar[str] = "reported"

    words: str


@dataclass(frozen=True, kw_only=True)
class Alerted(Event):
    """The same alert was delivered again, or another one joined the incident."""

    kind: ClassVar[str] = "alerted"

    alert: Alert


@dataclass(frozen=True, kw_only=True)
class Cleared(Event):
    """The alert manager says that an alert of this incident is over; whether it is, checks say."""

    kind: ClassVar[str] = "cleared"

    alert: Alert


@dataclass(frozen=True, kw_only=True)
class Classified(Event):
    """Somebody gave the incident another severity, and said why."""

    kind: ClassVar[str] = "classified"

    severity: str
    before: str
    because: str


@dataclass(frozen=True, kw_only=True)
class Started(Event):
    """A run of a runbook began; ``production`` where a mistake harms customers.

    ``parameters_digest`` is of the parameters as they were given, before any was masked, ``code``
    of the packages that the runbook imports its calls from. Approvals name both. A run that a
    service began has its ``order``; ``attempt`` counts from 1, and one that was cut off from
    outside counts as none, as in the queue.
    """

    kind: ClassVar[str] = "started"

    runbook: str
    runbook_digest: str
    environment: str
    parameters: dict[str, Json]
    attended: bool
    notebook: str = ""
    production: bool = False
    versions: dict[str, str] = field(default_factory=dict)
    parameters_digest: str = ""
    code: str = ""
    order: str = ""
    attempt: int = 0


@dataclass(frozen=True, kw_only=True)
class Checked(Event):
    """A probe was read and judged; after ``fresh_s`` seconds the reading is stale."""

    kind: ClassVar[str] = "checked"

    title: str
    verdict: Verdict
    evidence: Evidence
    expect: str
    fail: str = ""
    if_failed: str = ""
    reading: int = 1
    purpose: str = "check"
    fresh_s: float = FRESH_S


@dataclass(frozen=True, kw_only=True)
class Decided(Event):
    """An option was chosen, or it was found that there is nothing to fix.

    ``stale`` names the checks whose readings were older than their freshness.
    """

    kind: ClassVar[str] = "decided"

    option: str | None
    recommended: str | None
    ranked: tuple[Option, ...] = ()
    reason: str = ""
    verdict: Verdict = Verdict.UNKNOWN
    try_next: tuple[str, ...] = ()
    stale: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Approved(Event):
    """Somebody said yes to the actions of one option, for a while.

    ``text``, ``parameters`` and ``code`` are digests: an approval holds only for the runbook text,
    the parameters and the pack code it was given for. ``calls`` maps titles to resolved calls where
    these were known, ``call_digests`` to the digests of what was not masked. ``seen`` is the head
    of the timeline that the approver saw.

    ``signature`` is over all other fields, by ``key``: ``ed25519:`` and the raw public key in
    hexadecimal. Without one, ``by`` only says who it is.
    """

    kind: ClassVar[str] = "approved"

    option: str
    text: str
    parameters: str
    calls: dict[str, str] = field(default_factory=dict)
    expires_at: datetime
    requested_by: str = ""
    incident: str = ""
    call_digests: dict[str, str] = field(default_factory=dict)
    code: str = ""
    seen: str = ""
    nonce: str = ""
    key: str = ""
    signature: str = ""


@dataclass(frozen=True, kw_only=True)
class Acting(Event):
    """An action is about to be sent; without the end of its ``attempt`` it may be half done.

    ``tells`` names the channels of an action that only tells people and repairs nothing. One that
    is ``repeatable`` may be sent again; one that is ``contained`` changes nothing that is not
    written down first as ``Sending``. ``call_digest`` is of the call before anything in it was
    masked. ``approvers`` are the owners, by fingerprint, of the keys that said yes; where there are
    none, ``approved_by`` only says who it is.
    """

    kind: ClassVar[str] = "acting"

    title: str
    call: str
    option: str
    because: str
    risk: str
    undo: str
    tells: tuple[str, ...] = ()
    rehearsal: Json = None
    approved_by: str = ""
    attempt: str = ""
    repeatable: bool = False
    contained: bool = False
    call_digest: str = ""
    approvers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Sending(Event):
    """A change of an attempt is about to reach a system.

    ``transaction`` is the id of one that is about to be committed there, empty for any other
    request; it is the ``last`` where the action itself has returned before. ``history`` is the
    server's timeline in PostgreSQL's sense, eight hex digits: a promoted server begins another,
    and may give the id to another transaction.
    """

    kind: ClassVar[str] = "sending"

    title: str
    attempt: str
    system: str
    transaction: str = ""
    history: str = ""
    last: bool = False


@dataclass(frozen=True, kw_only=True)
class Acted(Event):
    """An action has an outcome; ``tells`` and ``call_digest`` are as in ``Acting``.

    ``attempt`` is the one that it ends, empty where nothing was sent. One that failed is
    ``untouched`` where it is known that it changed nothing.
    """

    kind: ClassVar[str] = "acted"

    title: str
    outcome: Outcome
    call: str
    option: str = ""
    because: str = ""
    risk: str = ""
    undo: str = ""
    tells: tuple[str, ...] = ()
    rehearsal: Json = None
    result: Json = None
    reason: str = ""
    took_s: float = 0.0
    attempt: str = ""
    untouched: bool = False
    call_digest: str = ""


@dataclass(frozen=True, kw_only=True)
class Settled(Event):
    """It was found out what became of an attempt: by ``evidence`` that was read, or by a person.

    ``because`` is what that person saw.
    """

    kind: ClassVar[str] = "settled"

    title: str
    attempt: str
    outcome: Settlement
    call: str = ""
    evidence: str = ""
    because: str = ""


@dataclass(frozen=True, kw_only=True)
class Verified(Event):
    """A check was repeated after an action, until it held or time was up."""

    kind: ClassVar[str] = "verified"

    title: str
    verdict: Verdict
    readings: int
    wanted: int
    took_s: float
    waited: bool
    evidence: Evidence
    expect: str = ""


@dataclass(frozen=True, kw_only=True)
class Undone(Event):
    """The paired undo of a done action ran, failed, or was left; the rest is as in ``Acted``."""

    kind: ClassVar[str] = "undone"

    title: str
    outcome: Outcome
    call: str
    rehearsal: Json = None
    result: Json = None
    reason: str = ""
    took_s: float = 0.0
    attempt: str = ""
    untouched: bool = False


@dataclass(frozen=True, kw_only=True)
class Asked(Event):
    """A manual step was put to a person; without an answer it is open, unless it was skipped."""

    kind: ClassVar[str] = "asked"

    question: str
    owner: str
    answer: str | None = None
    skipped: str = ""

    @property
    def is_open(self) -> bool:
        """Whether somebody still has to answer."""
        return self.answer is None and not self.skipped


@dataclass(frozen=True, kw_only=True)
class Changed(Event):
    """A responder ran a step whose cell differs from the runbook's; its own event comes next.

    ``before`` is the cell in the runbook, empty for a step it does not have, ``after`` as it ran.
    """

    kind: ClassVar[str] = "changed"

    verb: str
    title: str
    before: str
    after: str


@dataclass(frozen=True, kw_only=True)
class Noted(Event):
    """Somebody added words."""

    kind: ClassVar[str] = "noted"

    text: str
    runbook: bool = False


@dataclass(frozen=True, kw_only=True)
class Stopped(Event):
    """The run ended early, with meaning."""

    kind: ClassVar[str] = "stopped"

    reason: str


@dataclass(frozen=True, kw_only=True)
class Ended(Event):
    """A run of a runbook came to its end, or was cut off."""

    kind: ClassVar[str] = "ended"

    runbook: str
    complete: bool
    reason: str = ""
    took_s: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Closed(Event):
    """The incident was closed and its record made; ``discarded`` where it was none."""

    kind: ClassVar[str] = "closed"

    resolution: str = ""
    discarded: bool = False
    statement: ClosingStatement = ClosingStatement()


EVENTS: tuple[type[Event], ...] = (
    Opened,
    Reported,
    Alerted,
    Cleared,
    Classified,
    Started,
    Checked,
    Decided,
    Approved,
    Acting,
    Sending,
    Acted,
    Settled,
    Verified,
    Undone,
    Asked,
    Changed,
    Noted,
    Stopped,
    Ended,
    Closed,
)


def _plain(severity: str) -> str:
    return "".join(filter(str.isalnum, severity)).casefold()
