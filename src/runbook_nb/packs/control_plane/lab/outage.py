"""Outages of an emulator, made from outside: wrong answers, slow ones, and none at all.

The lab speaks to ``/__lab__/outage`` on the emulator's port; nothing of the platform does. An
outage covers the paths that begin with its ``path``.
"""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from runbook_nb.packs.control_plane.lab.refusals import Refusal

PATH = "/__lab__/outage"
_HEAD: dict[str, Any] = {
    "type": "http.response.start",
    "status": 200,
    "headers": [(b"content-type", b"application/json"), (b"content-length", b"1000")],
}


@dataclass(frozen=True, kw_only=True)
class Outage:
    """How an emulator misbehaves.

    ``delay_s`` comes first. With ``cut`` the partner closes its half of the connection in the
    middle of the answer; with ``lost`` it has carried the request out by then. With ``stall`` it
    keeps it open there and sends no more. ``limited`` refuses as this partner refuses who asks too
    often. Else ``status`` answers with ``headers`` and ``body``; without a status the real answer
    follows. Of ``every`` so many requests the first meets the outage. ``times`` ends it after so
    many, 0 never.
    """

    path: str = "/"
    method: str = ""
    delay_s: float = 0
    lost: bool = False
    cut: bool = False
    stall: bool = False
    limited: bool = False
    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""
    every: int = 1
    times: int = 0


class WithOutages:
    """An ASGI app around another: behaves as its outages say.

    ``refusal`` is how this partner answers who asks too often.
    """

    def __init__(self, app: ASGIApp, *, refusal: Refusal | None = None) -> None:
        self._app, self._refusal = app, refusal
        self._outages: list[Outage] = []
        self._met: dict[int, int] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take an outage, have one, or pass the request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif scope["path"] == PATH:
            await (await self._changed(scope, receive))(scope, receive, send)
        elif (outage := self._outage_for(scope)) is None:
            await self._app(scope, receive, send)
        else:
            await self._have(outage, scope, receive, send)

    async def _changed(self, scope: Scope, receive: Receive) -> Response:
        if scope["method"] == "DELETE":
            self._outages.clear()
            self._met.clear()
        elif scope["method"] == "POST":
            body = b""
            while True:
                message = await receive()
                body += message.get("body", b"")
                if not message.get("more_body"):
                    break
            self._outages.append(Outage(**json.loads(body)))
        return JSONResponse([outage.__dict__ for outage in self._outages])

    def _outage_for(self, scope: Scope) -> Outage | None:
        for outage in self._outages:
            if not scope["path"].startswith(outage.path):
                continue
            if outage.method and scope["method"] != outage.method:
                continue
            asked = self._met.get(id(outage), 0)
            if outage.times and asked >= outage.times * outage.every:
                continue
            self._met[id(outage)] = asked + 1
            if asked % outage.every == 0:
                return outage
        return None

    async def _have(self, outage: Outage, scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(outage.delay_s)
        if outage.lost:
            await self._app(scope, receive, _unheard)
        if outage.cut or outage.stall or outage.lost:
            # A promised length that never comes: the server closes the connection midway.
            await send(_HEAD)
            await send({"type": "http.response.body", "body": b"{", "more_body": outage.stall})
            while outage.stall and (await receive())["type"] != "http.disconnect":
                pass
        elif outage.limited and self._refusal:
            refusal = self._refusal
            refused = Response(refusal.body, status_code=refusal.status, headers=refusal.headers)
            await refused(scope, receive, send)
        elif outage.status:
            response = Response(outage.body, status_code=outage.status, headers=outage.headers)
            await response(scope, receive, send)
        else:
            await self._app(scope, receive, send)


async def _unheard(_message: Message) -> None:
    """Let nobody hear what is sent."""
