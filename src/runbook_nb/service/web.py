"""The web server of the service: messages come in, its health is told, and its pages are shown.

It understands nothing of a message but who sent it: that keeps its answer fast, and what is kept
can be understood later.
"""

from http import HTTPStatus
from typing import Any, Final

import psycopg
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from runbook_nb.errors import SettingMissingError
from runbook_nb.service.answers import body_of, said, too_large
from runbook_nb.service.pages import Pages
from runbook_nb.service.queue import Queue, tell
from runbook_nb.service.settings import ServiceSettings
from runbook_nb.service.sources import SOURCES
from runbook_nb.timeline.alerts import SIZE_LIMIT

OPEN_METRICS: Final = "application/openmetrics-text; version=1.0.0; charset=utf-8"

_FIGURES: Final = """
select
    (select count(*) from runbook.orders where state = 'queued') as queued,
    (select count(*) from runbook.orders where state = 'running') as running,
    (select count(*) from runbook.orders where state = 'given_up') as given_up,
    (select count(*) from runbook.orders where state = 'done') as done,
    (select coalesce(extract(epoch from clock_timestamp() - min(queued_at)), 0)
       from runbook.orders where state = 'queued') as oldest_s,
    (select coalesce(sum(greatest(attempts - 1, 0)), 0) from runbook.orders) as stalls,
    (select coalesce(sum(extract(epoch from ended_at - queued_at)), 0)
       from runbook.orders where state = 'done') as verdict_s,
    (select count(*) from runbook.delivery) as deliveries,
    (select count(*) from runbook.delivery where taken_at is null) as waiting,
    (select count(*) from runbook.notice where told_at is null and left_at is null) as untold,
    (select count(*) from runbook.notice where left_at is not null) as never_told
"""
_VERDICTS: Final = """
select coalesce(result ->> 'verdict', 'unknown') as verdict, count(*) as orders
from runbook.orders where state = 'done' group by 1 order by 1
"""


class Web:
    """The routes of the service, on one queue."""

    def __init__(self, queue: Queue, settings: ServiceSettings, pages: Pages) -> None:
        self._queue, self._settings, self._pages = queue, settings, pages

    def app(self) -> Starlette:
        """Make the application; whoever serves it opens the queue before."""
        return Starlette(
            routes=[
                Route("/hooks/{source}", self._hook, methods=["POST"]),
                Route("/health", self._health, methods=["GET"]),
                Route("/metrics", self._metrics, methods=["GET"]),
                *self._pages.routes(),
            ]
        )

    async def _hook(self, request: Request) -> Response:
        """Keep a genuine message; 202 says that it is kept, whatever it holds."""
        source = SOURCES.get(request.path_params["source"])
        try:
            secret = self._settings.secret_of(source.name) if source else None
        except SettingMissingError as error:
            tell("source without secret", error=str(error))
            return said(HTTPStatus.SERVICE_UNAVAILABLE, "The secret of this source is missing.")
        if source is None or secret is None:
            known = ", ".join(sorted(self._settings.sources)) or "none"
            return said(HTTPStatus.NOT_FOUND, f"No such source. Those that may send: {known}.")
        body = await body_of(request, limit=SIZE_LIMIT)
        if body is None:
            return too_large(SIZE_LIMIT)
        headers = {name.casefold(): value for name, value in request.headers.items()}
        if not source.genuine(headers, body, secret):
            tell("refused", source=source.name, bytes=len(body))
            return said(HTTPStatus.UNAUTHORIZED, "The token or signature is not the one agreed.")
        try:
            await self._queue.keep(source.name, body)
        except psycopg.Error as error:
            tell("store away", error=type(error).__name__)
            return said(HTTPStatus.SERVICE_UNAVAILABLE, "The store is away; send it again.")
        return said(HTTPStatus.ACCEPTED, "Kept.")

    async def _health(self, _request: Request) -> Response:
        found = await self._figures()
        if found is None:
            return said(HTTPStatus.SERVICE_UNAVAILABLE, "The store is away.")
        figures, _ = found
        return JSONResponse({name: float(value) for name, value in figures.items()})

    async def _metrics(self, _request: Request) -> Response:
        found = await self._figures()
        if found is None:
            return PlainTextResponse(
                _gauge("runbook_store_up", 0) + "# EOF\n", media_type=OPEN_METRICS
            )
        figures, verdicts = found
        lines = [
            _gauge("runbook_store_up", 1),
            *(
                _gauge(f"runbook_orders_{state}", figures[state])
                for state in ("queued", "running", "given_up", "done")
            ),
            _gauge("runbook_queue_age_seconds", figures["oldest_s"]),
            _gauge("runbook_stalls", figures["stalls"]),
            "# TYPE runbook_time_to_verdict_seconds summary\n",
            f"runbook_time_to_verdict_seconds_sum {float(figures['verdict_s']):g}\n",
            f"runbook_time_to_verdict_seconds_count {figures['done']}\n",
            _gauge("runbook_deliveries", figures["deliveries"]),
            _gauge("runbook_deliveries_waiting", figures["waiting"]),
            _gauge("runbook_notices_waiting", figures["untold"]),
            _gauge("runbook_notices_never_told", figures["never_told"]),
            "# TYPE runbook_verdicts gauge\n",
            *(
                f'runbook_verdicts{{verdict="{row["verdict"]}"}} {row["orders"]}\n'
                for row in verdicts
            ),
            "# EOF\n",
        ]
        return PlainTextResponse("".join(lines), media_type=OPEN_METRICS)

    async def _figures(self) -> tuple[dict[str, Any], list[dict[str, Any]]] | None:
        """Return what the store holds by number; None where it is away."""
        try:
            return await self._queue.rows(_FIGURES, _VERDICTS)
        except psycopg.Error:
            return None


def _gauge(name: str, value: object) -> str:
    return f"# TYPE {name} gauge\n{name} {float(str(value)):g}\n"
