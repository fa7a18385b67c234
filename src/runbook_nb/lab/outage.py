"""Outages of a stand-in, made from outside: wrong answers, slow ones, and none at all.

The lab speaks to ``/__lab__/outage`` on the stand-in's port; nothing of the platform does. An
outage covers the paths that begin with its ``path``.
"""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

PATH = "/__lab__/outage"


@dataclass(frozen=True, kw_only=True)
class Outage:
    """How a stand-in misbehaves.

    ``delay_s`` comes first. With ``cut`` the connection ends in the middle of the answer; else
    ``status`` answers with ``headers`` and ``body``; without a status the real answer follows.
    ``times`` ends the outage after so many requests, 0 never.
    """

    path: str = "/"
    method: str = ""
    delay_s: float = 0
    cut: bool = False
    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""
    times: int = 0


class WithOutages:
    """An ASGI app around another: behaves as its outages say."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
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
            met = self._met.get(id(outage), 0)
            if outage.times and met >= outage.times:
                continue
            self._met[id(outage)] = met + 1
            return outage
        return None

    async def _have(self, outage: Outage, scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(outage.delay_s)
        if outage.cut:
            # A promised length that never comes: the server closes the connection midway.
            head: dict[str, Any] = {"type": "http.response.start", "status": 200}
            await send({**head, "headers": [(b"content-length", b"1000")]})
            await send({"type": "http.response.body", "body": b"{", "more_body": False})
        elif outage.status:
            response = Response(outage.body, status_code=outage.status, headers=outage.headers)
            await response(scope, receive, send)
        else:
            await self._app(scope, receive, send)
