"""A check's readings over time as a small chart: where its points and lines go."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from runbook_nb.probes.limits import bounds
from runbook_nb.record.facts.phases import PhaseFacts
from runbook_nb.record.facts.types import CheckFacts, ReadingFacts
from runbook_nb.text.formatting import said, time_of_day
from runbook_nb.timeline.events import Verdict

WIDTH: Final = 640
HEIGHT: Final = 150
LEFT, RIGHT, TOP, BOTTOM = 64, 8, 22, 20  # room for the words at the edges
FEWEST: Final = 3  # different answers; a before and an after are said better in words
TICKS: Final = 4  # steps of the axis of values, at the most
CLOSE: Final = 100  # where two words at the top would touch


@dataclass(frozen=True, kw_only=True)
class Point:
    """One reading: where it is drawn, what it was, and whether it passed."""

    x: float
    y: float
    verdict: Verdict


@dataclass(frozen=True, kw_only=True)
class ChartRule:
    """A line across the chart with its words: a limit, or a time of the incident."""

    place: float
    words: str


@dataclass(frozen=True, kw_only=True)
class CheckChart:
    """Everything a chart draws, and the same in words; ``values`` are the marks of its axis."""

    values: tuple[ChartRule, ...]
    points: tuple[Point, ...]
    limits: tuple[ChartRule, ...]
    times: tuple[ChartRule, ...]
    begin: str
    end: str
    words: str


def chart(check: CheckFacts, phases: Sequence[PhaseFacts]) -> CheckChart | None:
    """Return the chart of a check that did not always pass and was read often enough."""
    read = [reading for reading in check.readings if _is_number(reading)]
    if check.worst is Verdict.PASS or len({reading.answer for reading in read}) < FEWEST:
        return None
    expect = check.before.expect
    limits = bounds(expect, read[0].unit)
    across = _Scale(read[0].at.timestamp(), read[-1].at.timestamp(), LEFT, WIDTH - RIGHT)
    values = [float(reading.answer) for reading in read]
    up = _Scale(min(0.0, *values, *limits), max(*values, *limits, 0.0), HEIGHT - BOTTOM, TOP)
    within = [phase for phase in phases if phase.at and read[0].at <= phase.at <= read[-1].at]
    return CheckChart(
        values=tuple(_marks(up, read[0].unit)),
        points=tuple(
            Point(
                x=across.at(reading.at.timestamp()),
                y=up.at(float(reading.answer)),
                verdict=reading.verdict,
            )
            for reading in read
        ),
        limits=tuple(ChartRule(place=up.at(limit), words=expect) for limit in limits),
        times=tuple(_times(within, across)),
        begin=time_of_day(read[0].at),
        end=time_of_day(read[-1].at),
        words=_words(check, read, within),
    )


@dataclass(frozen=True)
class _Scale:
    """Maps a range of values onto a range of the drawing."""

    low: float
    high: float
    start: float
    stop: float

    def at(self, value: float) -> float:
        share = (value - self.low) / ((self.high - self.low) or 1.0)
        return round(self.start + share * (self.stop - self.start), 1)


def _marks(up: _Scale, unit: str) -> Iterator[ChartRule]:
    """Return round values along the axis; the unit stands at the highest alone."""
    step = _round_step((up.high - up.low) / TICKS)
    first, last = math.ceil(up.low / step), math.floor(up.high / step)
    for count in range(first, last + 1):
        value = count * step
        # A multiple of a decimal step carries digits that nobody meant.
        words = said(round(value, 12), unit if count == last else "")
        yield ChartRule(place=up.at(value), words=words)


def _round_step(least: float) -> float:
    """Return the next of 1, 2, 5, 10 … that is no smaller."""
    size: float = 10.0 ** math.floor(math.log10(least)) if least > 0 else 1.0
    return next(size * each for each in (1, 2, 5, 10) if size * each >= least)


def _times(within: Sequence[PhaseFacts], across: _Scale) -> Iterator[ChartRule]:
    """Return the incident's times; one that is close to the next says its words there."""
    places = [across.at(phase.at.timestamp()) for phase in within if phase.at]
    waiting = ""
    for place, following, phase in zip(places, [*places[1:], math.inf], within, strict=False):
        words = f"{waiting}{phase.name}"
        is_close = following - place < CLOSE
        waiting = f"{words}, " if is_close else ""
        yield ChartRule(place=place, words="" if is_close else words)


def _is_number(reading: ReadingFacts) -> bool:
    return isinstance(reading.answer, int | float) and not isinstance(reading.answer, bool)


def _words(check: CheckFacts, read: Sequence[ReadingFacts], within: Sequence[PhaseFacts]) -> str:
    """Say what the chart shows, for who cannot see it."""
    values = ", ".join(f"{said(each.answer, each.unit)} at {time_of_day(each.at)}" for each in read)
    times = "".join(f" {phase.name} at {time_of_day(phase.at)}." for phase in within if phase.at)
    return f"{check.title}, expected {check.before.expect}: {values}.{times}"
