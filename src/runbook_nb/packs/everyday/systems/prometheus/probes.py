"""Questions to Prometheus in PromQL; the author names the unit that the query answers in.

No data, several series where one is expected, NaN and infinity, an error, a page of a proxy and a
partial answer are all *unknown*, each with its reason.
"""

from datetime import timedelta
from statistics import fmean

from runbook_nb.errors import NoAnswerError
from runbook_nb.packs.everyday.systems.prometheus.answers import (
    SERIES_SHOWN,
    ask,
    demand_finite,
    moment,
    only,
)
from runbook_nb.packs.everyday.systems.prometheus.window import Window, read_window
from runbook_nb.probes.calls import Reading, Systems, probe


@probe(unit="")
def value(systems: Systems, query: str, *, unit: str = "", system: str = "prometheus") -> Reading:
    """Return the one value of an instant query, in ``unit``, as of the server's present."""
    answer = ask(systems, system, "query", query=query)
    series = only(answer.series, query)
    if len(series.samples) > 1:
        message = f"`{query}` is a range of samples; a check of a window is range_max and its kin."
        raise NoAnswerError(message)
    at, found = series.samples[0]
    detail = {"series": str(series), "at": moment(at), "notes": list(answer.notes)}
    return Reading(value=demand_finite(found, query), detail=detail)


@probe(unit="")
def series_count(
    systems: Systems, query: str, *, present: str = "", system: str = "prometheus"
) -> Reading:
    """Return how many series answer an instant query, such as ``up == 0``; none is 0.

    A mistyped metric counts 0 too: where that would be good news, ``present`` names a query that
    must have a series, such as ``up``, or the answer is unknown.
    """
    if present and not ask(systems, system, "query", query=present).series:
        message = f"No data: no series answers `{present}`, so counting `{query}` says nothing."
        raise NoAnswerError(message)
    answer = ask(systems, system, "query", query=query)
    shown = [str(series) for series in answer.series[:SERIES_SHOWN]]
    return Reading(value=len(answer.series), detail={"series": shown, "notes": list(answer.notes)})


@probe(unit="")
def range_max(
    systems: Systems,
    query: str,
    *,
    window: timedelta,
    step: timedelta | None = None,
    unit: str = "",
    system: str = "prometheus",
) -> Reading:
    """Return the highest value of a range query over the last ``window``, in ``unit``.

    ``step`` is a sixtieth of the window where it is not named. Samples that are NaN are left out
    and counted in the detail; a window of nothing else is unknown.
    """
    read = read_window(systems, query, window=window, step=step, system=system)
    return _reading(read, max(read.numbers()))


@probe(unit="")
def range_min(
    systems: Systems,
    query: str,
    *,
    window: timedelta,
    step: timedelta | None = None,
    unit: str = "",
    system: str = "prometheus",
) -> Reading:
    """Return the lowest value of a range query over the last ``window``, as range_max does."""
    read = read_window(systems, query, window=window, step=step, system=system)
    return _reading(read, min(read.numbers()))


@probe(unit="")
def range_avg(
    systems: Systems,
    query: str,
    *,
    window: timedelta,
    step: timedelta | None = None,
    unit: str = "",
    system: str = "prometheus",
) -> Reading:
    """Return the mean value of a range query over the last ``window``, as range_max does."""
    read = read_window(systems, query, window=window, step=step, system=system)
    return _reading(read, fmean(read.numbers()))


@probe(unit="")
def range_last(
    systems: Systems,
    query: str,
    *,
    window: timedelta,
    step: timedelta | None = None,
    unit: str = "",
    system: str = "prometheus",
) -> Reading:
    """Return the newest value of a range query; a series that ended within the window is unknown.

    The detail holds the lowest and highest value beside it, so that the course can be seen.
    """
    read = read_window(systems, query, window=window, step=step, system=system)
    return _reading(read, read.newest())


def _reading(read: Window, found: float) -> Reading:
    return Reading(value=demand_finite(found, read.query), detail=read.detail())
