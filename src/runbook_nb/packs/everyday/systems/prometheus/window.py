"""The samples of one series over a window of time."""

import math
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from runbook_nb.errors import NoAnswerError, ParameterError
from runbook_nb.packs.everyday.systems.prometheus.answers import (
    Series,
    ask,
    moment,
    only,
    server_time,
)
from runbook_nb.probes.calls import Systems
from runbook_nb.text.durations import words
from runbook_nb.text.values import Json

_STEPS: Final = 60  # in a window, unless the author names the step


@dataclass(frozen=True, kw_only=True)
class Window:
    """One series from ``start`` to ``end`` (Unix times), with a sample each ``step_s`` at most."""

    query: str
    series: Series
    notes: tuple[str, ...]
    start: float
    end: float
    step_s: float

    def numbers(self) -> list[float]:
        """Return the values that are numbers; raises NoAnswerError where there is none."""
        found = [value for _, value in self.series.samples if not math.isnan(value)]
        if found:
            return found
        message = f"Each of the {len(self.series.samples)} samples of `{self.query}` is NaN."
        raise NoAnswerError(message)

    def newest(self) -> float:
        """Return the last value; raises NoAnswerError for a series that ended before."""
        at, value = self.series.samples[-1]
        if self.end - at > self.step_s / 2:
            message = f"`{self.query}` has no data since {moment(at)}, {words(self.end - at)} ago."
            raise NoAnswerError(message)
        return value

    def detail(self) -> Json:
        """Say what the answer rests on: how much of the window has samples, and their course."""
        values = [value for _, value in self.series.samples]
        finite = [value for value in values if math.isfinite(value)]
        return {
            "series": str(self.series),
            "from": moment(self.start),
            "to": moment(self.end),
            "step_s": self.step_s,
            "samples": f"{len(values)} of {round((self.end - self.start) / self.step_s) + 1}",
            "without a number": len(values) - len(finite),
            "lowest": min(finite, default=None),
            "highest": max(finite, default=None),
            "newest": values[-1] if math.isfinite(values[-1]) else str(values[-1]),
            "notes": list(self.notes),
        }


def read_window(
    systems: Systems,
    query: str,
    *,
    window: timedelta,
    step: timedelta | None,
    system: str,
) -> Window:
    """Ask a range query up to the server's present; raises NoAnswerError without one series."""
    window_s = window.total_seconds()
    step_s = max(1.0, window_s / _STEPS) if step is None else step.total_seconds()
    if not 0 < step_s <= window_s:
        message = f"A step of {step_s:g} s does not fit into a window of {window_s:g} s."
        raise ParameterError(message)
    end = server_time(systems, system)
    # Counted back from the present, so that the last sample is the newest there is.
    start = end - math.floor(window_s / step_s) * step_s
    answer = ask(
        systems,
        system,
        "query_range",
        query=query,
        start=f"{start:.3f}",
        end=f"{end:.3f}",
        step=f"{step_s:g}",
    )
    return Window(
        query=query,
        series=only(answer.series, query),
        notes=answer.notes,
        start=start,
        end=end,
        step_s=step_s,
    )
