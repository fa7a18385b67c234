"""What an incident did to users, in figures that say whether they were measured."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from runbook_nb.record.facts.phases import PhaseFacts
from runbook_nb.text.durations import words
from runbook_nb.text.formatting import time_of_day
from runbook_nb.timeline.events import Checked, Event, Impact, ImpactFigure, Verified
from runbook_nb.timeline.queries import severity_of, terms_of

NOT_MEASURED: Final = "not measured"


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
    """One figure as one check read it: when, and as which event."""

    at: datetime
    title: str
    seq: int
    figure: ImpactFigure


def fold_impact(events: Sequence[Event], phases: Sequence[PhaseFacts]) -> tuple[FigureFacts, ...]:
    """Return how long it lasted and every figure that a probe measured, or that none was."""
    return (_lasted(events, phases), *_reach(_measured(events)))


def worst_severity(events: Sequence[Event]) -> str:
    """Return the worst of the severity that was declared last and those that figures made it."""
    declared = severity_of(events)
    measured = (impact.severity for _, _, impact in _impacts(events))
    return terms_of(events).worst([declared, *measured]) or declared


def _impacts(events: Sequence[Event]) -> Iterator[tuple[int, Checked | Verified, Impact]]:
    for seq, event in enumerate(events, start=1):
        if isinstance(event, Checked | Verified) and event.evidence.impact:
            yield seq, event, event.evidence.impact


def _measured(events: Sequence[Event]) -> Iterator[_Measured]:
    for seq, event, impact in _impacts(events):
        for figure in impact.figures:
            yield _Measured(at=event.at, title=event.title, seq=seq, figure=figure)


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


def _reach(measured: Iterable[_Measured]) -> Iterator[FigureFacts]:
    """Say who felt it and what was harmed: at the worst, and when last read."""
    readings: dict[str, list[_Measured]] = {}
    for each in measured:
        readings.setdefault(each.figure.name, []).append(each)
    if not readings:
        yield FigureFacts(name="Affected", value=NOT_MEASURED, basis=Basis.UNKNOWN)
    for name, known in readings.items():
        yield _figure(name, known)


def _figure(name: str, readings: Sequence[_Measured]) -> FigureFacts:
    worst, last = max(readings, key=lambda each: each.figure.weight), readings[-1]
    value = worst.figure.value
    if last.figure.value != value:
        value = f"{value} at the worst, {last.figure.value} at {time_of_day(last.at)} UTC"
    return FigureFacts(
        name=name,
        value=value,
        basis=Basis.MEASURED,
        source=f"{worst.title}, {time_of_day(worst.at)} UTC",
        seq=worst.seq,
    )
