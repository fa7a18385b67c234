"""The service's pages: the open incidents, one of them live, and the approval with a passkey.

No page asks another host for anything, and nothing that is only looked at changes anything. What
an incident holds is for whoever reaches the page: a proxy before it says who that is.
"""

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from http import HTTPStatus
from pathlib import Path
from threading import Lock
from typing import Any, Final
from urllib.parse import quote, urlsplit
from xml.sax.saxutils import quoteattr

import psycopg
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from runbook_nb.errors import (
    ApprovalError,
    ApprovalWaitsError,
    IncidentStateError,
    RunbookError,
    StoreUnavailableError,
)
from runbook_nb.incident.board import BoardFold
from runbook_nb.incident.board.status import unapproved
from runbook_nb.incident.cards import Card, board_html, style
from runbook_nb.incident.cards.describe import face
from runbook_nb.incident.known_incident import last_runbook
from runbook_nb.incident.open_incidents import open_incidents
from runbook_nb.runbook.folders import templates_folder
from runbook_nb.runbook.passkeys import LOCAL_HOST
from runbook_nb.service.answers import body_of, said, too_large
from runbook_nb.service.approvals import Approvals, Asked
from runbook_nb.service.queue import Queue, tell
from runbook_nb.service.settings import ServiceSettings
from runbook_nb.text.formatting import anchor, listed, one_line
from runbook_nb.timeline.events import Event
from runbook_nb.timeline.incidents import find
from runbook_nb.timeline.log import Timeline

_LOOK_S: Final = 0.5  # how often a page that is open looks for new lines
_REDRAW_S: Final = 15.0  # its clocks go on, and a proxy sees that the connection lives
_LOOPBACK: Final = frozenset({LOCAL_HOST, "127.0.0.1", "::1"})
_AGAIN_S: Final = 2  # until a page that waits for a run is asked for again
_CARDS_AT_MOST: Final = 300  # of a page, for a telephone; what comes live is added
_BODY_LIMIT: Final = 64_000  # bytes of what a page sends; an assertion has some hundred
_STATUS: Final[dict[type[Exception], HTTPStatus]] = {
    ApprovalError: HTTPStatus.CONFLICT,
    ApprovalWaitsError: HTTPStatus.CONFLICT,
    StoreUnavailableError: HTTPStatus.SERVICE_UNAVAILABLE,
}
# Timelines are kept between requests and read on; two threads must not read one at once.
_READING: Final = Lock()


class Pages:
    """The pages of one service; ``ends`` is set once it is asked to end."""

    def __init__(
        self, queue: Queue, settings: ServiceSettings, incidents: Path, ends: asyncio.Event
    ) -> None:
        self._queue, self._settings, self._incidents = queue, settings, incidents
        self._ends = ends
        self._approvals = Approvals(settings, incidents)

    def routes(self) -> list[Route]:
        """Return where they are."""
        one = "/incidents/{incident}"
        return [
            Route("/", self._list, methods=["GET"]),
            Route(one, self._incident, methods=["GET"]),
            Route(f"{one}/live", self._live, methods=["GET"]),
            Route(f"{one}/approve", self._approve, methods=["GET"]),
            Route(f"{one}/approve/statement", self._statement, methods=["POST"]),
            Route(f"{one}/approve", self._approved, methods=["POST"]),
            Route("/passkey", self._passkey, methods=["GET"]),
            Route("/passkey", self._made, methods=["POST"]),
        ]

    async def _list(self, request: Request) -> Response:
        def shown() -> "_Page":
            with _READING:
                found = open_incidents(self._incidents, now=datetime.now(UTC))
            return _page("incidents", title="Open incidents", incidents=found)

        return await self._answered(request, shown)

    async def _incident(self, request: Request) -> Response:
        def shown() -> "_Page":
            view = View(self._incidents, request.path_params["incident"])
            older = view.pass_over(but=_CARDS_AT_MOST)
            return _page(
                "incident",
                title=view.incident,
                script="live.js",
                incident=view.incident,
                **view.drawn(),
                cards=[card for _, card in view.cards()][::-1],
                seen=view.seen,
                older=older,
            )

        return await self._answered(request, shown)

    async def _live(self, request: Request) -> Response:
        """Send each card once it is written, and the board again whenever it may look otherwise."""
        refused = self._refused(request)
        if refused is not None:
            return refused
        try:
            view = await asyncio.to_thread(View, self._incidents, request.path_params["incident"])
            given = request.headers.get("last-event-id") or request.query_params["after"]
            view.seen = max(0, int(given))
        except (RunbookError, ValueError, KeyError) as error:
            return said(HTTPStatus.NOT_FOUND, str(error))
        return StreamingResponse(
            self._told(view), media_type="text/event-stream", headers={"cache-control": "no-store"}
        )

    async def _told(self, view: "View") -> AsyncIterator[str]:
        clock = asyncio.get_running_loop().time
        drawn_at = -_REDRAW_S
        while not self._ends.is_set():
            try:
                fresh = await asyncio.to_thread(view.cards)
                for seq, card in fresh:
                    yield _event("card", {"html": card}, seq=seq)
                if fresh or clock() - drawn_at >= _REDRAW_S:
                    yield _event("board", await asyncio.to_thread(view.drawn))
                    drawn_at = clock()
            except (RunbookError, OSError) as error:
                yield _event("trouble", {"said": str(error)})
                return
            await asyncio.sleep(_LOOK_S)

    async def _approve(self, request: Request) -> Response:
        def shown() -> "_Page":
            asked = self._approvals.asked(request.path_params["incident"])
            return _page(
                "approve",
                title=f"Approve {asked.option}",
                script="approve.js",
                asked=asked,
                host=self._approvals.host,
                cards=[_unfolded(event, asked) for event in asked.events],
            )

        return await self._answered(request, shown)

    async def _statement(self, request: Request) -> Response:
        incident = request.path_params["incident"]

        def made(given: dict[str, Any]) -> dict[str, Any]:
            key, basis = str(given["key"]), str(given["basis"])
            return self._approvals.statement(incident, key=key, basis=basis)

        return await self._done(request, made)

    async def _approved(self, request: Request) -> Response:
        incident = request.path_params["incident"]

        def done(given: dict[str, Any]) -> dict[str, Any]:
            return self._approvals.take(
                incident, token=str(given["token"]), assertion=given["assertion"]
            )

        answer = await self._done(request, done)
        if answer.status_code == HTTPStatus.OK:
            tell("approved", incident=incident)
            await self._queue.ring_waiting()
        return answer

    async def _passkey(self, request: Request) -> Response:
        def shown() -> "_Page":
            return _page(
                "passkey",
                title="Make a passkey",
                script="passkey.js",
                host=self._approvals.host,
            )

        return await self._answered(request, shown)

    async def _made(self, request: Request) -> Response:
        def told(given: dict[str, Any]) -> dict[str, Any]:
            return self._approvals.table_of(str(given["name"]), given["registration"])

        return await self._done(request, told)

    async def _answered(self, request: Request, shown: "Callable[[], _Page]") -> Response:
        """Answer with a page; what is wrong is told on one as well."""
        refused = self._refused(request)
        if refused is not None:
            return refused
        status = HTTPStatus.OK
        try:
            page = await asyncio.to_thread(shown)
        except (RunbookError, OSError) as error:
            status = _STATUS.get(type(error), HTTPStatus.NOT_FOUND)
            again_s = _AGAIN_S if isinstance(error, ApprovalWaitsError) else 0
            page = _page("trouble", title="Not shown", said=str(error), again_s=again_s)
        own = f"'nonce-{page.nonce}'"
        policy = (
            f"default-src 'none'; style-src {own}; script-src {own}; "
            "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        )
        headers = {
            "content-security-policy": policy,
            "cache-control": "no-store",
            "referrer-policy": "no-referrer",
            "x-content-type-options": "nosniff",
        }
        return HTMLResponse(page.html, status_code=status, headers=headers)

    async def _done(
        self, request: Request, work: Callable[[dict[str, Any]], dict[str, Any]]
    ) -> Response:
        """Do what a page of ours asks for, and answer in JSON."""
        refused = self._refused(request)
        if refused is not None:
            return refused
        body = await body_of(request, limit=_BODY_LIMIT)
        if body is None:
            return too_large(_BODY_LIMIT)
        try:
            return JSONResponse(await asyncio.to_thread(work, json.loads(body)))
        except (RunbookError, psycopg.Error, OSError) as error:
            status = _STATUS.get(type(error), HTTPStatus.CONFLICT)
            # Who asks for a page is told that nothing waits; who signs, that it does not count.
            if isinstance(error, ApprovalError):
                status = HTTPStatus.FORBIDDEN
            return said(status, str(error))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return said(HTTPStatus.BAD_REQUEST, "That is nothing a page of ours sends.")

    def _refused(self, request: Request) -> Response | None:
        """Answer a request that no page of ours makes; None for one that may be answered.

        A foreign name may point at this machine, and a foreign page may send a form.
        """
        own = urlsplit(f"//{request.headers.get('host', '')}").hostname or ""
        known = {self._approvals.host, *_LOOPBACK}
        if own not in known:
            return said(HTTPStatus.MISDIRECTED_REQUEST, f"Ask by the name {listed(sorted(known))}.")
        if request.method == "POST" and not _is_own(request.headers):
            return said(
                HTTPStatus.FORBIDDEN, "Only a page of this service may ask for it, in JSON."
            )
        return None


class View:
    """One incident as a page shows it; ``seen`` is the number of the last event it has drawn.

    Raises IncidentStateError where there is none, and RecordIntegrityError where it was altered.
    """

    def __init__(self, incidents: Path, incident: str) -> None:
        self._timeline: Timeline = find(incidents, incident)
        self.incident, self.seen = incident, 0
        if not len(self._timeline):
            message = f"{incident} has no events."
            raise IncidentStateError(message)
        self._fold = BoardFold(self._timeline, last_runbook(self._timeline))

    def pass_over(self, *, but: int) -> int:
        """Begin with the newest ``but`` events; return how many are passed over."""
        self.seen = max(0, len(self._timeline) - but)
        return self.seen

    def cards(self) -> list[tuple[int, str]]:
        """Return the cards of the events since the last look, each with its number."""
        fresh = self._timeline[self.seen :]
        board = self._fold.board(now=datetime.now(UTC))
        production = board.environment if board.production else ""
        # A heading is where its newest step ran.
        newest = sorted((step.seq, step.heading) for step in board.steps if step.seq)
        places = {seq: heading for heading, seq in {where: seq for seq, where in newest}.items()}
        drawn = []
        for event in fresh:
            self.seen += 1
            if face(event).title:
                card = Card(event, production=production).html()
                # The board links to the newest event of a step.
                heading = places.get(self.seen)
                place = f" id={quoteattr(anchor(one_line(heading)))}" if heading else ""
                drawn.append((self.seen, f"<div{place}>{card}</div>"))
        return drawn

    def drawn(self) -> dict[str, str]:
        """Return the board as HTML, and the option that waits for a yes."""
        board = self._fold.board(now=datetime.now(UTC))
        return {"board": board_html(board), "option": unapproved(board)}


@dataclass(frozen=True, kw_only=True)
class _Page:
    """A page, and the nonce of its own style and script."""

    html: str
    nonce: str


@cache
def _templates() -> Environment:
    folder = templates_folder("serve") / "page"
    return Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )


def _page(name: str, *, script: str = "", **values: Any) -> _Page:
    folder = templates_folder("serve") / "page"
    nonce = secrets.token_urlsafe(16)
    template = _templates().get_template(f"{name}.html.j2")
    html = template.render(
        style=style() + (folder / "page.css").read_text(encoding="utf-8"),
        script=(folder / script).read_text(encoding="utf-8") if script else "",
        nonce=nonce,
        **values,
    )
    return _Page(html=html, nonce=nonce)


def _unfolded(event: Event, asked: Asked) -> str:
    """Return a card as it is read before a yes; its links lead to the incident."""
    card = Card(event, production=asked.production, unfolded=True).html()
    return card.replace('href="#', f'href="/incidents/{quote(asked.incident)}#')


def _event(name: str, data: dict[str, str], *, seq: int | None = None) -> str:
    number = "" if seq is None else f"id: {seq}\n"
    return f"event: {name}\n{number}data: {json.dumps(data)}\n\n"


def _is_own(headers: Mapping[str, str]) -> bool:
    """Tell whether a page of this service sent it: a form of another site can send no JSON."""
    site = headers.get("sec-fetch-site", "same-origin")
    return site == "same-origin" and headers.get("content-type") == "application/json"
