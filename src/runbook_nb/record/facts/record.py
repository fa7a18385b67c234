"""The record: a timeline folded into the facts a reader of the incident needs."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, is_dataclass
from datetime import datetime
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

from runbook_nb.errors import RecordIntegrityError
from runbook_nb.incident.cards.describe import says_to_be
from runbook_nb.record.facts import fold, summary
from runbook_nb.record.facts.communication import CommunicationFacts, fold_communication
from runbook_nb.record.facts.headline import Headline, headline
from runbook_nb.record.facts.impact import FigureFacts, fold_impact, worst_severity
from runbook_nb.record.facts.name import name_of
from runbook_nb.record.facts.phases import (
    PhaseFacts,
    WaitFacts,
    clock_stops,
    fold_phases,
    fold_waits,
)
from runbook_nb.record.facts.remarks import Remark, remarks_of
from runbook_nb.record.facts.resolution import Resolution, fold_resolution
from runbook_nb.record.facts.types import ActionFacts, CheckFacts, Integrity, RunFacts
from runbook_nb.record.facts.verification import HeldFacts, fold_held
from runbook_nb.text.files import code_digest
from runbook_nb.timeline import queries
from runbook_nb.timeline.events import (
    Alert,
    Approved,
    Asked,
    Changed,
    ClosingStatement,
    Decided,
    Event,
    IncidentStatus,
    Noted,
    Reported,
    Verdict,
    Verified,
)
from runbook_nb.timeline.log import Timeline

E = TypeVar("E", bound=Event)


@dataclass(frozen=True, kw_only=True)
class Record:
    """An incident made readable; everything in it is on the timeline."""

    id: str
    title: str
    name: str
    severity: str
    status: IncidentStatus
    environment: str
    runbooks: tuple[str, ...]
    opened_at: datetime | None
    closed_at: datetime | None
    resolution: str
    statement: ClosingStatement
    reports: tuple[Reported, ...]
    alert: Alert | None
    people: tuple[str, ...]
    runs: tuple[RunFacts, ...]
    checks: tuple[CheckFacts, ...]
    decisions: tuple[Decided, ...]
    approvals: tuple[Approved, ...]
    actions: tuple[ActionFacts, ...]
    manual_steps: tuple[Asked, ...]
    changes: tuple[Changed, ...]
    notes: tuple[Noted, ...]
    verifications: tuple[Verified, ...]
    held: tuple[HeldFacts, ...]
    stopped_at: str
    phases: tuple[PhaseFacts, ...]
    waits: tuple[WaitFacts, ...]
    impact: tuple[FigureFacts, ...]
    worst_severity: str
    communication: CommunicationFacts
    remarks: tuple[Remark, ...]
    resolved: Resolution
    headline: Headline
    summary: tuple[str, ...]
    integrity: Integrity

    @classmethod
    def of(cls, timeline: Timeline) -> "Record":
        """Fold a timeline; one that was altered is folded up to the first event that does not fit.

        Raises nothing for what is on disk: ``integrity`` says what is wrong with it.
        """
        events, integrity = read_events(timeline)
        return cls.of_events(events, folder=timeline.folder.path, integrity=integrity)

    @classmethod
    def of_events(cls, events: Sequence[Event], *, folder: Path, integrity: Integrity) -> "Record":
        """Fold events that were read before; ``folder`` holds the notebooks that ran."""
        opened, closed = queries.opened(events), queries.closed(events)
        runs, checks = fold.fold_runs(events), fold.fold_checks(events)
        actions, decisions = fold.fold_actions(events), _of(events, Decided)
        resolved = fold_resolution(events, actions, whole=integrity.valid)
        verifications, phases = _of(events, Verified), fold_phases(events, resolved)
        severity = worst_severity(events)
        return cls(
            id=opened.incident if opened else folder.name,
            title=opened.title if opened else "",
            name=name_of(events),
            severity=queries.severity_of(events),
            status=IncidentStatus.CLOSED if closed else IncidentStatus.OPEN,
            environment=opened.environment if opened else "",
            runbooks=queries.runbooks(events),
            opened_at=opened.at if opened else None,
            closed_at=closed.at if closed else None,
            resolution=closed.resolution if closed else "",
            statement=closed.statement if closed else ClosingStatement(),
            reports=_of(events, Reported),
            alert=queries.first_alert(events),
            people=fold.fold_people(events),
            runs=runs,
            checks=checks,
            decisions=decisions,
            approvals=_of(events, Approved),
            actions=actions,
            manual_steps=queries.manual_steps(events),
            changes=fold.fold_changes(events),
            notes=_of(events, Noted),
            verifications=verifications,
            held=fold_held(events),
            stopped_at=summary.stopped_at(runs[-1], is_open=closed is None) if runs else "",
            phases=phases,
            waits=fold_waits(events),
            impact=fold_impact(events, phases),
            worst_severity=severity,
            communication=fold_communication(
                events, severity=severity, until=clock_stops(events, phases)
            ),
            remarks=tuple(remarks_of(folder, events)),
            resolved=resolved,
            headline=headline(resolved, integrity=integrity, checks=checks, actions=actions),
            summary=_sentences(
                summary.proven(integrity.events, whole=integrity.valid),
                summary.found(checks, resolved),
                summary.done(actions, decisions, since=opened.at if opened else None),
                summary.standing(resolved, checks),
                summary.ending(runs, is_open=closed is None, whole=integrity.valid),
            ),
            integrity=integrity,
        )

    @property
    def verdict(self) -> Verdict:
        """The worst of the newest verdict of each check; unknown without any check."""
        return queries.worst(check.verdict for check in self.checks)

    @property
    def owners(self) -> dict[str, str]:
        """Whose keys said yes to what was done, by fingerprint, as was proven before it was."""
        acting = (action.acting for action in self.actions if action.acting)
        return {key: name for each in acting for key, name in each.approvers.items()}

    def actor_of(self, event: Event) -> str:
        """Say who did something: in production, a name that no key proves only says so."""
        production = {run.run for run in self.runs if run.production}
        return says_to_be(event.by) if event.run in production else event.by

    def to_json(self) -> dict[str, Any]:
        """Return the facts as JSON, times in UTC with Z."""
        facts = {**asdict(self), "verdict": self.verdict}
        for action, folded in zip(facts["actions"], self.actions, strict=True):
            action["said"] = folded.said
        facts["resolved"]["fixed"] = self.resolved.is_fixed
        return plain_facts(facts)


def plain_facts(facts: Any) -> dict[str, Any]:
    """Return facts as plain JSON, times in UTC with Z."""
    known = asdict(facts) if is_dataclass(facts) and not isinstance(facts, type) else facts
    plain: dict[str, Any] = json.loads(json.dumps(known, default=_said_time))
    return plain


@cache
def made_by() -> str:
    """Name what folds a timeline into a record: the program, its version, and that code's digest.

    Another folding may tell other facts of the same events, also within one version.
    """
    # Imported late: the packages import this module themselves.
    from runbook_nb import incident, text, timeline
    from runbook_nb.record import facts

    digest = code_digest(facts, incident, text, timeline)
    return f"runbook-nb {version('runbook-nb')} ({digest[:12]})"


def read_events(timeline: Timeline) -> tuple[list[Event], Integrity]:
    """Return the events that fit the chain, and whether that is all of the file."""
    try:
        whole = timeline.anew()
    except (RecordIntegrityError, OSError) as error:
        # Everything before the first event that does not fit is proven, and worth reading.
        events = timeline.proven()
        message = str(error) if isinstance(error, RecordIntegrityError) else _why(error)
        return events, Integrity(
            valid=False, head=timeline.head, events=len(events), message=message
        )
    events = list(whole)
    message = f"All {len(events)} events match the hash chain."
    return events, Integrity(valid=True, head=whole.head, events=len(events), message=message)


def _of(events: Sequence[Event], kind: type[E]) -> tuple[E, ...]:
    return tuple(queries.of(events, kind))


def _sentences(*sentences: str) -> tuple[str, ...]:
    return tuple(f"{each[0].upper()}{each[1:]}" for each in sentences if each)


def _why(error: OSError) -> str:
    return f"The timeline cannot be read: {error.strerror or error}."


def _said_time(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return str(value)
