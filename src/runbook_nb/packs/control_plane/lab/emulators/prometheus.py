"""An emulator for Prometheus 2.42: alert rules, their reload, and questions about single figures.

Of PromQL it knows what a rule of the lab is made of: a figure, a figure compared with a number,
and the count, the highest and the lowest of one over a window.
"""

import operator
import re
from collections.abc import Callable
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

import yaml  # type: ignore[import-untyped]
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from runbook_nb.packs.control_plane.lab.alerting.files import RULES, place, put
from runbook_nb.packs.control_plane.lab.alerting.weeks import (
    DAYS,
    read_weeks,
    samples,
    usual_story,
    within_rises,
)
from runbook_nb.packs.control_plane.lab.emulators.emulator import Emulator
from runbook_nb.packs.control_plane.lab.emulators.reload import reload_route

Samples = list[tuple[float, float]]

_MOST_POINTS: Final = 11_000  # Prometheus's own limit of one answer
_DAY_S: Final = 86_400
_FIGURE: Final = r"([a-zA-Z_][a-zA-Z0-9_]*)"
_COMPARED: Final = re.compile(rf"\(?{_FIGURE}\)?\s*(?:(>=|<=|==|>|<)\s*(-?[0-9.]+))?")
_OVER: Final = re.compile(r"(count|max|min)_over_time\(\((.+)\)\[(\d+)s:(\d+)s\]\)")
_DURATION: Final = re.compile(r"(\d+)([smhd])")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": _DAY_S}
_FOLD: Final[dict[str, Callable[[list[float]], float]]] = {
    "count": lambda values: float(len(values)),
    "max": max,
    "min": min,
}
_TRUE: Final[dict[str, Callable[[float, float], bool]]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
    "==": operator.eq,
}


class Prometheus:
    """One server: it goes by the rules it has loaded, not by the file, until it is told to."""

    def __init__(self, lab: Path) -> None:
        self._lab = lab
        self._groups: list[dict[str, Any]] = []
        self.load()

    def load(self) -> None:
        """Load the rule file; ValueError for one that is refused, and the old rules stay."""
        text = place(self._lab, RULES).read_text(encoding="utf-8")
        try:
            groups = [_group(one) for one in yaml.safe_load(text)["groups"]]
        except (yaml.YAMLError, KeyError, TypeError) as error:
            message = f"loading groups failed: {error}"
            raise ValueError(message) from error
        self._groups = groups

    def rules(self) -> list[dict[str, Any]]:
        """Return the groups as they are loaded."""
        return self._groups

    def ask(self, query: str, times: list[float]) -> Samples:
        """Return the samples that a query has at these times; ValueError for one it cannot read."""
        read = _COMPARED.fullmatch(query.strip())
        if read is None:
            message = f"parse error: {query}"
            raise ValueError(message)
        metric, comparison, number = read.groups()
        weeks = read_weeks(self._lab)
        first = datetime.now(UTC).timestamp() - DAYS * _DAY_S
        kept = [at for at in times if at >= first]
        if comparison is None:
            return samples(weeks, metric, kept)
        holds, limit = _TRUE[comparison], float(number)
        if not holds(weeks.usual.get(metric, float("nan")), limit):
            # Only within a rise can it hold: the weeks are long, and the rises are few.
            kept = within_rises(weeks, metric, kept)
        return [(at, value) for at, value in samples(weeks, metric, kept) if holds(value, limit)]


def prometheus_app(lab: Path) -> Starlette:
    """Make the emulator over the files of the lab; rules and weeks begin as they are shipped."""
    put(lab, weeks=usual_story().weeks())
    server = Prometheus(lab)

    async def rules(_request: Request) -> Response:
        return _success({"groups": server.rules()})

    async def query(request: Request) -> Response:
        return _instant(server, request.query_params["query"])

    async def query_range(request: Request) -> Response:
        return _range(server, dict(request.query_params))

    return Starlette(
        routes=[
            Route("/api/v1/rules", rules, methods=["GET"]),
            Route("/api/v1/query", query, methods=["GET"]),
            Route("/api/v1/query_range", query_range, methods=["GET"]),
            reload_route(server.load),
        ]
    )


def _group(read: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": read["name"],
        "file": RULES,
        "interval": _seconds(read.get("interval", "1m")),
        "rules": [_rule(one) for one in read["rules"]],
    }


def _rule(read: dict[str, Any]) -> dict[str, Any]:
    if not isinstance(read["expr"], str) or not _COMPARED.fullmatch(read["expr"].strip()):
        message = f"could not parse expression: {read['expr']}"
        raise TypeError(message)
    return {
        "name": read["alert"],
        "query": read["expr"].strip(),
        "duration": _seconds(read.get("for", "0s")),
        "keepFiringFor": _seconds(read.get("keep_firing_for", "0s")),
        "labels": read.get("labels") or {},
        "annotations": read.get("annotations") or {},
        "alerts": [],
        "health": "ok",
        "state": "inactive",
        "type": "alerting",
    }


def _seconds(duration: str) -> int:
    return sum(int(count) * _SECONDS[unit] for count, unit in _DURATION.findall(str(duration)))


def _instant(server: Prometheus, query: str) -> Response:
    now = datetime.now(UTC).timestamp()
    if query == "time()":
        return _success({"resultType": "scalar", "result": [now, f"{now:.3f}"]})
    over = _OVER.fullmatch(query)
    try:
        if over is None:
            values = [value for _, value in server.ask(query, [now])]
        else:
            fold, inner, window, step = over.groups()
            last = now - now % int(step)
            times = [last - back for back in reversed(range(0, int(window), int(step)))]
            values = [value for _, value in server.ask(inner, times)]
            values = [_FOLD[fold](values)] if values else []
    except ValueError as error:
        return _refusal(str(error))
    result = [{"metric": {}, "value": [now, f"{value:g}"]} for value in values[:1]]
    return _success({"resultType": "vector", "result": result})


def _range(server: Prometheus, asked: dict[str, str]) -> Response:
    start, end, step = (float(asked[name]) for name in ("start", "end", "step"))
    if (end - start) / step > _MOST_POINTS:
        return _refusal("exceeded maximum resolution of 11,000 points per timeseries.")
    times = [start + number * step for number in range(int((end - start) // step) + 1)]
    try:
        found = server.ask(asked["query"], times)
    except ValueError as error:
        return _refusal(str(error))
    values = [[at, f"{value:g}"] for at, value in found]
    result = [{"metric": {"job": "control-plane"}, "values": values}] if values else []
    return _success({"resultType": "matrix", "result": result})


def _success(data: object) -> Response:
    return JSONResponse({"status": "success", "data": data})


def _refusal(error: str) -> Response:
    body = {"status": "error", "errorType": "bad_data", "error": error}
    return JSONResponse(body, status_code=HTTPStatus.BAD_REQUEST)


EMULATOR = Emulator(
    name="prometheus",
    make=lambda access: prometheus_app(access.folder),
    token=False,
)
