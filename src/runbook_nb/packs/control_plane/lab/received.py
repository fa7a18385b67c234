"""What an emulator was sent: each recent request, kept in memory with its secrets masked."""

import json
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

PATH = "/__lab__/requests"
_KEPT = 500
_BODY_BYTES = 64 * 1024
_SECRET_HEADERS = frozenset(
    {"authorization", "x-api-key", "x-org-api-key", "x-goog-api-key", "cookie"}
)
_MASK = "[masked]"


@dataclass(frozen=True, kw_only=True)
class Received:
    """One request as it came in; ``body`` grows while the request is being read."""

    at: datetime
    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytearray = field(default_factory=bytearray)

    def as_json(self) -> dict[str, object]:
        """Return the request as JSON values; a JSON body is shown parsed, any other as text."""
        return {
            "at": self.at.isoformat(),
            "method": self.method,
            "path": self.path,
            "query": self.query,
            "headers": dict(self.headers),
            "body": _readable(bytes(self.body)),
        }


class Recorder:
    """An ASGI app around another: keeps the last 500 requests and shows them on `PATH`."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._received: deque[Received] = deque(maxlen=_KEPT)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer for what was received, or keep the request and pass it on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if scope["path"] == PATH:
            response = JSONResponse([request.as_json() for request in self._received])
            await response(scope, receive, send)
            return
        request = _begin(scope)
        self._received.append(request)

        async def receive_and_keep() -> Message:
            message = await receive()
            if message["type"] == "http.request":
                room = _BODY_BYTES - len(request.body)
                request.body.extend(message.get("body", b"")[:room])
            return message

        await self._app(scope, receive_and_keep, send)


def _begin(scope: Scope) -> Received:
    headers = {name.decode("latin-1"): text.decode("latin-1") for name, text in scope["headers"]}
    return Received(
        at=datetime.now(UTC),
        method=scope["method"],
        path=scope["path"],
        query=scope["query_string"].decode("latin-1"),
        headers={
            name: _MASK if name in _SECRET_HEADERS else text for name, text in headers.items()
        },
    )


def _readable(body: bytes) -> object:
    if not body:
        return None
    text = body.decode("utf-8", errors="replace")
    try:
        return json.loads(text)
    except ValueError:
        return text
