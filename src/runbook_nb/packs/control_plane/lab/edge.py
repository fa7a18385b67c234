"""The edge: a reverse proxy before the ui that does what its Caddy configuration says."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import suppress
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs

import httpx
from starlette.types import ASGIApp, Receive, Scope, Send

from runbook_nb.packs.control_plane.lab.edge_config import EdgeConfig

_CONNECT_TIMEOUT_S = 3.0
_UNLIMITED = -1
# These speak of one connection, so a proxy does not pass them on.
_HOP_BY_HOP = frozenset(
    {
        *("connection", "keep-alive", "proxy-authenticate", "proxy-authorization"),
        *("te", "trailer", "transfer-encoding", "upgrade"),
    }
)

_log = logging.getLogger(__name__)

Headers = list[tuple[bytes, bytes]]


class _ClientLeft(Exception):  # noqa: N818 - nothing failed: a browser went away
    """The client has gone, so nobody waits for the answer."""


def edge_app(config: EdgeConfig) -> ASGIApp:
    """Make the public side: each request is served by what the configuration says at that time."""
    client = httpx.AsyncClient(
        timeout=httpx.Timeout(None, connect=_CONNECT_TIMEOUT_S),
        limits=httpx.Limits(max_connections=None, max_keepalive_connections=20),
        follow_redirects=False,
        trust_env=False,
    )

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        handler = _handler_for(config, scope)
        if handler is None:
            # Caddy answers what no route takes with an empty 200.
            await _answer(send, HTTPStatus.OK, [])
        elif handler["handler"] == "static_response":
            await _answer_static(handler, send)
        else:
            await _until_client_leaves(_Exchange(client, handler, scope, receive, send))

    return app


class _Exchange:
    """One request passed to the upstream, and its answer passed back."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        handler: dict[str, Any],
        scope: Scope,
        receive: Receive,
        send: Send,
    ) -> None:
        self._client = client
        self._handler = handler
        self._scope = scope
        self._receive = receive
        self._send = send
        self._sent_all = asyncio.Event()
        self._began = False

    async def pass_on(self) -> None:
        """Send the request to the upstream and its answer to the client, as it comes."""
        try:
            async with self._client.stream(
                self._scope["method"],
                self._url(),
                headers=self._request_headers(),
                content=await self._request_content(),
            ) as answer:
                await self._pass_back(answer)
        except httpx.TransportError as error:
            if not self._began:
                await _answer(self._send, HTTPStatus.BAD_GATEWAY, [])
                return
            # An answer left incomplete makes the server cut the connection: so the client learns.
            _log.warning("The upstream broke off: %r", error)

    async def client_leaves(self) -> None:
        """Wait until the client closes its connection."""
        await self._sent_all.wait()
        while (await self._receive())["type"] != "http.disconnect":
            pass

    async def _request_content(self) -> AsyncIterator[bytes] | None:
        """Return the request's body to be streamed, or None if it announces none."""
        names = {name.lower() for name, _ in self._scope["headers"]}
        if names & {b"content-length", b"transfer-encoding"}:
            return self._request_body()
        self._sent_all.set()
        return None

    async def _request_body(self) -> AsyncIterator[bytes]:
        more = True
        while more:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise _ClientLeft
            more = message.get("more_body", False)
            if message.get("body"):
                yield message["body"]
        self._sent_all.set()

    async def _pass_back(self, answer: httpx.Response) -> None:
        headers = _without_hop_by_hop(answer.headers.raw)
        chunks = answer.aiter_raw()
        # Collected before anything is sent, headers included, as Caddy does it.
        first = await _collect(chunks, self._handler.get("response_buffers", 0))
        self._began = True
        await self._send(
            {"type": "http.response.start", "status": answer.status_code, "headers": headers}
        )
        if first:
            await self._send({"type": "http.response.body", "body": first, "more_body": True})
        async for chunk in chunks:
            # Returns when the client has taken enough: a slow client slows the upstream.
            await self._send({"type": "http.response.body", "body": chunk, "more_body": True})
        await self._send({"type": "http.response.body", "body": b""})

    def _url(self) -> str:
        path = self._scope.get("raw_path") or self._scope["path"].encode()
        query = self._scope["query_string"]
        target = path + (b"?" + query if query else b"")
        return f"http://{self._handler['upstreams'][0]['dial']}{target.decode('latin-1')}"

    def _request_headers(self) -> Headers:
        headers = _without_hop_by_hop(self._scope["headers"])
        client = self._scope.get("client") or ("127.0.0.1", 0)
        return [*headers, (b"x-forwarded-for", client[0].encode()), (b"x-forwarded-proto", b"http")]


async def _until_client_leaves(exchange: _Exchange) -> None:
    """Pass the exchange on, and give it up, upstream connection and all, if the client goes."""
    passing = asyncio.create_task(exchange.pass_on())
    leaving = asyncio.create_task(exchange.client_leaves())
    try:
        await asyncio.wait({passing, leaving}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        leaving.cancel()
        if not passing.done():
            passing.cancel()
    with suppress(asyncio.CancelledError, _ClientLeft):
        await passing


async def _collect(chunks: AsyncIterator[bytes], size: int) -> bytes:
    """Collect up to ``size`` bytes, or all of them if it is -1, or what there is at the end."""
    collected = bytearray()
    while size == _UNLIMITED or len(collected) < size:
        chunk = await anext(chunks, None)
        if chunk is None:
            break
        collected += chunk
    return bytes(collected)


def _without_hop_by_hop(headers: Headers) -> Headers:
    return [(name, text) for name, text in headers if name.lower().decode() not in _HOP_BY_HOP]


def _handler_for(config: EdgeConfig, scope: Scope) -> dict[str, Any] | None:
    """Return the first handler of the first route that takes the request."""
    query = parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True)
    for route in config.routes:
        matchers = route.get("match")
        if not matchers or any(_matches(one, scope["path"], query) for one in matchers):
            handlers: list[dict[str, Any]] = route["handle"]
            if handlers:
                return handlers[0]
    return None


def _matches(matcher: dict[str, Any], path: str, query: dict[str, list[str]]) -> bool:
    """Tell whether a request meets every condition of a matcher set."""
    if "path" in matcher and not any(_path_matches(wanted, path) for wanted in matcher["path"]):
        return False
    return all(
        any(wanted == "*" or wanted in query.get(name, []) for wanted in values) and (name in query)
        for name, values in matcher.get("query", {}).items()
    )


def _path_matches(wanted: str, path: str) -> bool:
    """Compare as Caddy does: regardless of case, whole, or with `*` at the start, end or both."""
    wanted, path = wanted.lower(), path.lower()
    core = wanted.strip("*")
    if wanted.startswith("*") and wanted.endswith("*"):
        return core in path
    if wanted.endswith("*"):
        return path.startswith(core)
    if wanted.startswith("*"):
        return path.endswith(core)
    return path == wanted


async def _answer_static(handler: dict[str, Any], send: Send) -> None:
    headers = [
        (name.lower().encode("latin-1"), text.encode("latin-1"))
        for name, values in handler.get("headers", {}).items()
        for text in values
    ]
    code = HTTPStatus(int(handler.get("status_code", HTTPStatus.OK)))
    await _answer(send, code, headers, str(handler.get("body", "")).encode())


async def _answer(send: Send, code: HTTPStatus, headers: Headers, body: bytes = b"") -> None:
    if code != HTTPStatus.NO_CONTENT:
        headers = [*headers, (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": int(code), "headers": headers})
    await send({"type": "http.response.body", "body": body})
