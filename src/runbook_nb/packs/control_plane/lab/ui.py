"""An emulator for the Next.js ui: a page, the streams of missions, and the callback of links."""

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping
from http import HTTPStatus
from uuid import UUID, uuid4

import psycopg
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Send

from runbook_nb.packs.control_plane.lab.agent_database import DatabaseAwayError
from runbook_nb.packs.control_plane.lab.ui_connect import PATH as CONNECT
from runbook_nb.packs.control_plane.lab.ui_connect import ConnectCallback
from runbook_nb.packs.control_plane.lab.ui_streams import AgentClient, Stream
from runbook_nb.packs.control_plane.lab.ui_telemetry import StreamTelemetry, Viewed

_HEADERS = {
    "cache-control": "no-cache, no-transform",
    "x-accel-buffering": "no",
}
_PAGE = "<!doctype html><html lang=en><title>Missions</title><h1>Missions</h1></html>"


class EventStream(StreamingResponse):
    """A stream whose end is told at once, also when the browser leaves in the middle of a send."""

    def __init__(self, frames: AsyncGenerator[str, None]) -> None:
        super().__init__(frames, media_type="text/event-stream", headers=_HEADERS)
        self._frames = frames

    async def stream_response(self, send: Send) -> None:
        """Send the frames; end their generator in any case."""
        try:
            await super().stream_response(send)
        finally:
            await self._frames.aclose()


def ui_app(
    *,
    telemetry: StreamTelemetry,
    agent: AgentClient,
    connect: ConnectCallback,
    runtime: Route,
    interval_s: float,
) -> Starlette:
    """Make the emulator; its own beats come every ``interval_s`` seconds.

    ``runtime`` is CopilotKit's, to which a tab connects.
    """

    async def page(_request: Request) -> Response:
        return HTMLResponse(_PAGE)

    async def watch(request: Request) -> Response:
        viewed = await _viewed(request, request.query_params, telemetry)
        if isinstance(viewed, Response):
            return viewed
        stream = Stream(viewed, telemetry, interval_s=interval_s)
        following = asyncio.create_task(agent.watch(viewed.mission, stream.tell))
        return EventStream(stream.frames(following))

    async def run(request: Request) -> Response:
        try:
            body = json.loads(await request.body())
        except ValueError:
            return _refusal(HTTPStatus.BAD_REQUEST, "invalid_json")
        if not isinstance(body, dict) or not _is_uuid(body.get("play_id")):
            return _refusal(HTTPStatus.BAD_REQUEST, "invalid_request")
        viewed = await _viewed(request, body, telemetry)
        if isinstance(viewed, Response):
            return viewed
        stream = Stream(viewed, telemetry, interval_s=interval_s)
        running = asyncio.create_task(agent.run(body, stream.tell))
        return EventStream(stream.frames(running))

    return Starlette(
        routes=[
            Route("/", page),
            Route("/api/stream/execution", watch),
            Route("/api/execution/run", run, methods=["POST"]),
            Route(CONNECT, connect.answer, methods=["GET"]),
            runtime,
        ]
    )


async def _viewed(
    request: Request, asked: Mapping[str, object], telemetry: StreamTelemetry
) -> Viewed | Response:
    """Read which mission is asked for, or say what is wrong with the question."""
    if not _is_uuid(asked.get("mission_id")):
        return _refusal(HTTPStatus.BAD_REQUEST, "invalid_request")
    mission = UUID(str(asked["mission_id"]))
    try:
        tenant = await telemetry.tenant_of(mission)
    except (DatabaseAwayError, psycopg.Error):
        return _refusal(HTTPStatus.INTERNAL_SERVER_ERROR, "auth_error")
    if tenant is None:
        return _refusal(HTTPStatus.FORBIDDEN, "forbidden")
    return Viewed(
        mission=mission,
        tenant=tenant,
        session=request.query_params.get("session_id") or str(uuid4()),
        sampling=request.query_params.get("sampling") or "full",
    )


def _refusal(code: HTTPStatus, word: str) -> Response:
    return JSONResponse({"code": word, "incident_id": str(uuid4())}, status_code=code)


def _is_uuid(text: object) -> bool:
    try:
        UUID(str(text))
    except ValueError:
        return False
    return True
