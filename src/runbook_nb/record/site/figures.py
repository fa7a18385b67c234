"""Figures over many incidents: how many, and how long each took, by month and by severity."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

from runbook_nb.record.history import IncidentLine

UNNAMED: Final = "not stated"
_MONTHS_A_YEAR: Final = 12
# Two incidents may lie decades apart where a clock was wrong: a chart of that shows nothing.
MONTHS_LIMIT: Final = 24


@dataclass(frozen=True, kw_only=True)
class TimeFigures:
    """How long something took: of how many it is known, the median and the longest, in seconds."""

    known: int
    median_s: float | None = None
    longest_s: float | None = None


@dataclass(frozen=True, kw_only=True)
class Figures:
    """One group of incidents: what they share, how many, and the times they took."""

    name: str
    count: int
    detect: TimeFigures
    mitigate: TimeFigures
    resolve: TimeFigures
    counts: Mapping[str, int]


def by_month(lines: Sequence[IncidentLine]) -> list[Figures]:
    """Return the figures of each month, oldest first, also of those without an incident."""
    found: defaultdict[str, list[IncidentLine]] = defaultdict(list)
    for line in lines:
        found[line.month].append(line)
    return [_figures(month, found[month]) for month in months(name for name in found if name)]


def by_severity(lines: Sequence[IncidentLine]) -> list[Figures]:
    """Return the figures of each severity, in the order of their names."""
    return [
        _figures(name, [line for line in lines if (line.severity or UNNAMED) == name])
        for name in severities(lines)
    ]


def severities(lines: Iterable[IncidentLine]) -> list[str]:
    """Return the severities there are; what is not stated stands last."""
    found = {line.severity or UNNAMED for line in lines}
    return sorted(found, key=lambda name: (name == UNNAMED, name))


def months(known: Iterable[str]) -> list[str]:
    """Return the months from the first known to the last, at most the newest twenty-four."""
    ordered = sorted(known)
    if not ordered:
        return []
    first, last = _ordinal(ordered[0]), _ordinal(ordered[-1])
    shown = range(max(first, last - MONTHS_LIMIT + 1), last + 1)
    return [f"{n // _MONTHS_A_YEAR:04}-{n % _MONTHS_A_YEAR + 1:02}" for n in shown]


def span_of(taken: Iterable[float | None]) -> TimeFigures:
    """Return the span of those times that are known."""
    known = [seconds for seconds in taken if seconds is not None]
    if not known:
        return TimeFigures(known=0)
    return TimeFigures(known=len(known), median_s=median(known), longest_s=max(known))


def _figures(name: str, lines: Sequence[IncidentLine]) -> Figures:
    def span(of: Callable[[IncidentLine], float | None]) -> TimeFigures:
        return span_of(of(line) for line in lines)

    return Figures(
        name=name,
        count=len(lines),
        detect=span(lambda line: line.detect_s),
        mitigate=span(lambda line: line.mitigate_s),
        resolve=span(lambda line: line.resolve_s),
        counts=Counter(line.severity or UNNAMED for line in lines),
    )


def _ordinal(month: str) -> int:
    year, number = month.split("-")
    return int(year) * _MONTHS_A_YEAR + int(number) - 1
