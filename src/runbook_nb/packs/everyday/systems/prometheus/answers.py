"""What Prometheus answers: series of samples, or one of its many ways to say that it cannot."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from runbook_nb.errors import NoAnswerError
from runbook_nb.packs.everyday.systems._fields import beginning
from runbook_nb.probes.calls import Systems

# Notes on how a query is written; they say nothing of missing data. Older servers send them as
# warnings.
_INFO: Final = "PromQL info"
SERIES_SHOWN: Final = 20
_NAMED: Final = 3  # in the message about several series


@dataclass(frozen=True, kw_only=True)
class Series:
    """One series: its labels, and its samples as (Unix time in seconds, value), oldest first."""

    labels: Mapping[str, str]
    samples: tuple[tuple[float, float], ...]

    def __str__(self) -> str:
        """Return the labels as PromQL writes them."""
        labels = dict(self.labels)
        name = labels.pop("__name__", "")
        said = ", ".join(f'{key}="{value}"' for key, value in labels.items())
        return f"{name}{{{said}}}"


@dataclass(frozen=True, kw_only=True)
class PromAnswer:
    """All series of an answer, and the server's notes on the query."""

    series: tuple[Series, ...]
    notes: tuple[str, ...]


def ask(systems: Systems, system: str, path: str, **parameters: str) -> PromAnswer:
    """Ask one query; raises NoAnswerError for an error, a page, and a part of the data."""
    answer = systems.http(system).get(f"/api/v1/{path}", params=parameters)
    body = _body(answer, system)
    if body.get("status") != "success":
        kind, said = body.get("errorType", "error"), body.get("error", "no reason given")
        message = f"{system} refused the question with HTTP {answer.status_code}: {kind}: {said}."
        raise NoAnswerError(message)
    warnings = [str(each) for each in body.get("warnings") or ()]
    missing = [each for each in warnings if not each.startswith(_INFO)]
    if body.get("isPartial"):
        missing.append("the answer is marked as partial")
    if missing:
        message = f"{system} answered with a part of the data only: {'; '.join(missing)}."
        raise NoAnswerError(message)
    infos = [str(each) for each in body.get("infos") or ()]
    return PromAnswer(series=_series(body, system), notes=(*warnings, *infos))


def server_time(systems: Systems, system: str) -> float:
    """Return the server's own time, so that no clock of ours decides what is stale."""
    (series,) = ask(systems, system, "query", query="time()").series
    return series.samples[-1][1]


def only(series: Sequence[Series], query: str) -> Series:
    """Return the one series; raises NoAnswerError where there is none, or more than one."""
    if not series:
        message = f"No data: no series answers `{query}`."
        raise NoAnswerError(message)
    if len(series) > 1:
        shown = "; ".join(str(each) for each in series[:_NAMED])
        more = "; …" if len(series) > _NAMED else ""
        message = (
            f"{len(series)} series answer `{query}` where one is expected: {shown}{more}. "
            "Name the labels, or aggregate with max(…)."
        )
        raise NoAnswerError(message)
    return series[0]


def demand_finite(value: float, query: str) -> float:
    """Return a value that can be judged; raises NoAnswerError for NaN and infinity."""
    if math.isfinite(value):
        return value
    message = f"`{query}` is {value}, as after a division by zero: no number to judge."
    raise NoAnswerError(message)


def moment(seconds: float) -> str:
    """Return a Unix time in ISO 8601, UTC."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")


def _body(answer: Any, system: str) -> dict[str, Any]:
    try:
        body = answer.json()
    except ValueError:
        body = None
    if isinstance(body, dict) and "status" in body:
        return body
    kind = answer.headers.get("content-type", "no content type")
    at = f" to {answer.headers['location']}" if answer.is_redirect else ""
    message = (
        f"{system} answered HTTP {answer.status_code}{at} with {kind} instead of Prometheus's "
        f"JSON; a proxy may stand before it. It begins: {beginning(answer.text)}"
    )
    raise NoAnswerError(message)


def _series(body: Mapping[str, Any], system: str) -> tuple[Series, ...]:
    try:
        data = body["data"]
        kind, result = data["resultType"], data["result"]
        if kind == "scalar":
            return (Series(labels={}, samples=(_sample(result),)),)
        if kind in {"vector", "matrix"}:
            return tuple(_one(each) for each in result)
    except (KeyError, TypeError, ValueError) as error:
        message = (
            f"{system} sent an answer that is not Prometheus's: {type(error).__name__} {error}."
        )
        raise NoAnswerError(message) from error
    message = f"{system} answered with a {kind}; numbers are expected."
    raise NoAnswerError(message)


def _one(result: Mapping[str, Any]) -> Series:
    if "histogram" in result or "histograms" in result:
        message = "The answer is a native histogram; ask for histogram_quantile(…) of it."
        raise NoAnswerError(message)
    samples = result["values"] if "values" in result else [result["value"]]
    return Series(labels=result["metric"], samples=tuple(_sample(each) for each in samples))


def _sample(pair: Sequence[Any]) -> tuple[float, float]:
    at, value = pair
    return float(at), float(value)
