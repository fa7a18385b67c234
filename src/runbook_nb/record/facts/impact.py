"""What an incident did to users, in figures that say whether they were measured."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum
from typing import Final

from runbook_nb.packs.control_plane.impact import BlastRadius
from runbook_nb.record.facts.phases import PhaseFacts
from runbook_nb.text.durations import words
from runbook_nb.text.formatting import clock, counted
from runbook_nb.text.values import Json
from runbook_nb.timeline.events import Checked, Event, Verdict, Verified

_LEVELS: Final = ("none", "SEV4", "SEV3", "SEV2", "SEV1")  # worst last
_RADIUS: Final = frozenset(field.name for field in fields(BlastRadius))
NOT_MEASURED: Final = "not measured"
_HARM: Final = {"lost": "Missions that lost rows", "leaks": "Signs of a leak"}


class Basis(StrEnum):
    """How a figure is known."""

    MEASURED = "measured"
    ESTIMATED = "estimated"
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class FigureFacts:
    """One figure of the impact, how it is known, and from where.

    ``seq`` is the number of the event it was read from; 0 where it is from none.
    """

    name: str
    value: str
    basis: Basis
    source: str = ""
    seq: int = 0


@dataclass(frozen=True, kw_only=True)
class _Measured:
    """One reading of the blast radius: when, by which check, as which event."""

    at: datetime
    title: str
    seq: int
    radius: BlastRadius


def fold_impact(events: Sequence[Event], phases: Sequence[PhaseFacts]) -> tuple[FigureFacts, ...]:
    """Return the figures; one that nothing measured is there too, as unknown."""
    measured = list(_measured(events))
    return (_lasted(events, phases), *_reach(events, measured), *_harm(measured))


def worst_severity(events: Sequence[Event], declared: str) -> str:
    """Return the worst of the declared severity and those that the figures made it."""
    known = [declared, *(each.radius.severity for each in _measured(events))]
    ranked = [level for level in known if level in _LEVELS]
    return max(ranked, key=_LEVELS.index, default=declared)


def _measured(events: Sequence[Event]) -> Iterable[_Measured]:
    for seq, event in enumerate(events, start=1):
        if not isinstance(event, Checked | Verified):
            continue
        detail = event.evidence.detail
        if isinstance(detail, Mapping) and detail.keys() >= _RADIUS:
            figures = {name: detail[name] for name in _RADIUS}
            if all(type(figure) is int for figure in figures.values()):
                radius = BlastRadius(**figures)
                yield _Measured(at=event.at, title=event.title, seq=seq, radius=radius)


def _lasted(events: Sequence[Event], phases: Sequence[PhaseFacts]) -> FigureFacts:
    """Say how long it lasted, from detection to the verified fix."""
    at = {phase.name: phase for phase in phases}
    begin, end = at["Detected"], at["Verified"]
    if begin.at is None or end.at is None:
        began = begin.at
        so_far = words(events[-1].at - began) if began and events else ""
        value = f"not known: no verified end within {so_far}" if so_far else NOT_MEASURED
        return FigureFacts(name="Lasted", value=value, basis=Basis.UNKNOWN)
    # An alert begins some minutes after the trouble; without one, nobody knows when that was.
    basis = Basis.MEASURED if begin.how.startswith("alert") else Basis.ESTIMATED
    return FigureFacts(
        name="Lasted",
        value=words(end.at - begin.at),
        basis=basis,
        source=f"{begin.how}, to verified",
    )


def _reach(events: Sequence[Event], measured: Sequence[_Measured]) -> Iterable[FigureFacts]:
    """Say how many missions and tenants felt it: at the worst, and when last read."""
    if not measured:
        yield _named(events, name="Live missions affected", key="mission_id")
        yield _named(events, name="Tenants affected", key="tenant_id")
        return
    worst = max(measured, key=lambda each: (each.radius.affected, each.radius.tenants_affected))
    for name, said in (("Live missions affected", _missions), ("Tenants affected", _tenants)):
        value, last = said(worst.radius), said(measured[-1].radius)
        if last != value:
            value = f"{value} at the worst, {last} at {clock(measured[-1].at)}"
        yield _figure(name, value, worst)


def _harm(measured: Sequence[_Measured]) -> Iterable[FigureFacts]:
    for key, name in _HARM.items():
        if not measured:
            yield FigureFacts(name=name, value=NOT_MEASURED, basis=Basis.UNKNOWN)
            continue
        counts = [int(getattr(each.radius, key)) for each in measured]
        worst = measured[counts.index(max(counts))]
        yield _figure(name, f"{max(counts):,}", worst)


def _named(events: Sequence[Event], *, name: str, key: str) -> FigureFacts:
    """Estimate from the rows of failed checks: they name what was looked at, not what suffered."""
    found: set[str] = set()
    titles: dict[str, int] = {}
    for seq, event in enumerate(events, start=1):
        if isinstance(event, Checked) and event.verdict is Verdict.FAIL:
            named = {str(row[key]) for row in _rows(event.evidence.detail) if row.get(key)}
            found |= named
            titles |= {event.title: seq} if named else {}
    if not found:
        return FigureFacts(name=name, value=NOT_MEASURED, basis=Basis.UNKNOWN)
    checks = counted(len(titles), "failed check")
    return FigureFacts(
        name=name,
        value=f"up to {len(found):,}, named in the evidence of {checks}",
        basis=Basis.ESTIMATED,
        source=next(iter(titles)),
        seq=next(iter(titles.values())),
    )


def _rows(detail: Json) -> list[Mapping[str, Json]]:
    rows = detail if isinstance(detail, list | tuple) else [detail]
    return [row for row in rows if isinstance(row, Mapping)]


def _figure(name: str, value: str, measured: _Measured) -> FigureFacts:
    return FigureFacts(
        name=name,
        value=value,
        basis=Basis.MEASURED,
        source=f"{measured.title}, {clock(measured.at)}",
        seq=measured.seq,
    )


def _missions(radius: BlastRadius) -> str:
    return f"{radius.affected:,} of {radius.live:,}"


def _tenants(radius: BlastRadius) -> str:
    return f"{radius.tenants_affected:,} of {radius.tenants:,}"
