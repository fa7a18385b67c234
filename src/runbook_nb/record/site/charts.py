"""Charts as geometry: bars with their labels, to be drawn by a template."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from runbook_nb.record.site.figures import Figures

_HEIGHT: Final = 120.0
_STEP: Final = 52.0  # wide enough for "59.9 min" above a bar
_BAR: Final = 34.0
_TOP: Final = 22.0  # room for the label above the highest bar
_UNITS: Final = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))
_LEAST: Final = 2.0  # a bar that is there can be seen


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One bar: its place in the drawing, the name below it and the value above it."""

    x: float
    y: float
    width: float
    height: float
    middle: float
    name: str
    value: str


@dataclass(frozen=True, kw_only=True)
class SiteChart:
    """A chart with a title, and a sentence that says all of it."""

    title: str
    said: str
    width: float
    height: float
    floor: float
    bars: tuple[Bar, ...]

    @property
    def has_values(self) -> bool:
        """Whether any bar is there to be seen."""
        return any(bar.value for bar in self.bars)


def count_chart(title: str, figures: Sequence[Figures], *, severity: str = "") -> SiteChart:
    """Return how many incidents each group has, of one severity or of all."""
    counts = [each.counts.get(severity, 0) if severity else each.count for each in figures]
    names = [each.name for each in figures]
    return _chart(title, names, counts, [str(count) if count else "" for count in counts])


def time_chart(title: str, figures: Sequence[Figures], *, of: str) -> SiteChart:
    """Return the median time of each group: ``of`` is detect, mitigate or resolve."""
    medians = [getattr(each, of).median_s for each in figures]
    said = ["" if seconds is None else _short(seconds) for seconds in medians]
    return _chart(title, [each.name for each in figures], [each or 0.0 for each in medians], said)


def _short(seconds: float) -> str:
    """Say a duration in one unit, so that it fits above a bar."""
    unit, size = next(((unit, size) for unit, size in _UNITS if seconds >= size), ("s", 1))
    return f"{seconds / size:.1f}".removesuffix(".0") + f" {unit}"


def _chart(
    title: str, names: Sequence[str], values: Sequence[float], said: Sequence[str]
) -> SiteChart:
    highest = max(values, default=0.0) or 1.0
    bars = []
    for place, (name, value, label) in enumerate(zip(names, values, said, strict=True)):
        height = max(_LEAST, (_HEIGHT * value) / highest) if label else 0.0
        bars.append(
            Bar(
                x=place * _STEP + (_STEP - _BAR) / 2,
                y=round(_TOP + _HEIGHT - height, 1),
                width=_BAR,
                height=round(height, 1),
                middle=place * _STEP + _STEP / 2,
                name=name,
                value=label,
            )
        )
    told = ", ".join(f"{bar.name} {bar.value}" for bar in bars if bar.value) or "nothing known"
    return SiteChart(
        title=title,
        said=f"{title}: {told}.",
        width=max(_STEP * len(bars), _STEP),
        height=_TOP + _HEIGHT + 24,
        floor=_TOP + _HEIGHT,
        bars=tuple(bars),
    )
