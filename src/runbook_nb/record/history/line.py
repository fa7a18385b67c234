"""One incident as one line: what lists, filters, figures and pages of an archive need of it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from runbook_nb.record.facts import Record
from runbook_nb.record.facts.remarks import Remark, RemarkKind
from runbook_nb.record.history.response_times import to_detect, to_mitigate, to_resolve
from runbook_nb.timeline.events import DRILL, IncidentStatus, Verdict
from runbook_nb.timeline.queries import worst


class IncidentStanding(StrEnum):
    """Where an incident stands in a list; not whole is what was altered, or cannot be read."""

    OPEN = "open"
    CLOSED = "closed"
    NOT_WHOLE = "not whole"


@dataclass(frozen=True, kw_only=True)
class RunLine:
    """One run: of which runbook, when, and in how many seconds it came to a decision."""

    runbook: str
    at: datetime
    attended: bool
    verdict_s: float | None


@dataclass(frozen=True, kw_only=True)
class CheckLine:
    """One check: of which runbook, its worst verdict and its newest."""

    runbook: str
    title: str
    worst: Verdict
    verdict: Verdict


@dataclass(frozen=True, kw_only=True)
class SkippedLine:
    """One step that nobody did: of which runbook, and why as far as that is known."""

    runbook: str
    title: str
    why: str


@dataclass(frozen=True, kw_only=True)
class OptionLine:
    """One option that was chosen: of which runbook, by its heading."""

    runbook: str
    heading: str


@dataclass(frozen=True, kw_only=True)
class IncidentLine:
    """One incident; ``folder`` is its name on disk, ``id`` the one its timeline claims.

    ``verdict`` is the worst of the newest verdict of each check and of the record's ``headline``,
    and at best unknown where the timeline is not whole. Times to detect, mitigate and resolve are
    in seconds, None where the record does not know. ``problem`` says what is wrong with the
    timeline, and is empty where nothing is.
    """

    folder: str
    id: str
    title: str = ""
    severity: str = ""
    verdict: Verdict = Verdict.UNKNOWN
    headline: str = ""
    standing: IncidentStanding
    environment: str = ""
    runbooks: tuple[str, ...] = ()
    alert: str = ""
    opened_at: datetime | None = None
    closed_at: datetime | None = None
    resolution: str = ""
    is_drill: bool = False
    runs: tuple[RunLine, ...] = ()
    checks: tuple[CheckLine, ...] = ()
    skipped: tuple[SkippedLine, ...] = ()
    options: tuple[OptionLine, ...] = ()
    detect_s: float | None = None
    mitigate_s: float | None = None
    resolve_s: float | None = None
    summary: str = ""
    problem: str = ""

    @property
    def month(self) -> str:
        """The month it was opened in UTC, ``2026-11``; empty where that is not known."""
        return f"{self.opened_at:%Y-%m}" if self.opened_at else ""


def line_of(record: Record, folder: Path) -> IncidentLine:
    """Return the line of a record."""
    by_run = {run.run: run.runbook for run in record.runs}
    return IncidentLine(
        folder=folder.name,
        id=record.id,
        title=record.name,
        severity=record.worst_severity or record.severity,
        verdict=_verdict(record),
        headline=record.headline.said,
        standing=_standing(record),
        environment=record.environment,
        runbooks=record.runbooks,
        alert=record.alert.name if record.alert else "",
        opened_at=record.opened_at,
        closed_at=record.closed_at,
        resolution=record.resolution,
        is_drill=record.resolution == DRILL,
        runs=tuple(_runs(record)),
        checks=tuple(
            CheckLine(
                runbook=by_run.get(check.before.run, ""),
                title=check.title,
                worst=check.worst,
                verdict=check.verdict,
            )
            for check in record.checks
        ),
        skipped=tuple(_skipped(record.remarks)),
        options=tuple(
            OptionLine(runbook=by_run.get(each.run, ""), heading=each.option)
            for each in record.decisions
            if each.option
        ),
        detect_s=to_detect(record),
        mitigate_s=to_mitigate(record),
        resolve_s=to_resolve(record),
        summary=" ".join(record.summary),
        problem=_problem(record, folder),
    )


def unreadable(folder: str, problem: str) -> IncidentLine:
    """Return the line of an incident of which nothing can be read."""
    return IncidentLine(
        folder=folder, id=folder, standing=IncidentStanding.NOT_WHOLE, problem=problem
    )


def _standing(record: Record) -> IncidentStanding:
    if not record.integrity.valid:
        return IncidentStanding.NOT_WHOLE
    return (
        IncidentStanding.OPEN if record.status is IncidentStatus.OPEN else IncidentStanding.CLOSED
    )


def _verdict(record: Record) -> Verdict:
    """Return the verdict; of a timeline that is not whole, nobody knows the newest readings."""
    told = record.headline.verdict if record.integrity.valid else Verdict.UNKNOWN
    return worst([record.verdict, told])


def _problem(record: Record, folder: Path) -> str:
    if not record.integrity.valid:
        return record.integrity.message
    if record.id != folder.name:
        return f"The folder is named {folder.name}, its timeline is that of {record.id}."
    return ""


def _runs(record: Record) -> Iterator[RunLine]:
    for run in record.runs:
        decided = [each.at for each in record.decisions if each.run == run.run]
        took = (decided[0] - run.started_at).total_seconds() if decided else None
        yield RunLine(runbook=run.runbook, at=run.started_at, attended=run.attended, verdict_s=took)


def _skipped(remarks: Sequence[Remark]) -> Iterator[SkippedLine]:
    for remark in remarks:
        if remark.kind is RemarkKind.SKIPPED:
            yield SkippedLine(runbook=remark.runbook, title=remark.step, why=remark.said)
