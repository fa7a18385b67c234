"""The agent service: runs missions, beats for each, and streams what happens.

Run as `python -m runbook_nb.packs.control_plane.lab.agent`, one process a machine. What it needs
is in the environment: PORT, DATABASE_DSN, COMPOSIO_URL, COMPOSIO_TOKEN, FLY_MACHINE_ID,
HEARTBEAT_SECONDS (30 if not set), HEARTBEAT_LAG_DECIMALS (0 if not set), COMPOSIO_PAUSE_S (0 if not
set), COMPOSIO_ATTEMPTS (1 if not set), INSPECTION_WORKERS (4 if not set), INSPECTION_LIMIT_S (60 if
not set), GEMINI_URL, GEMINI_TOKEN and GEMINI_MODEL (no model is asked without them) and
SUPABASE_ALLOW_WRITES (true if not set; without it events stay in memory).
"""

import asyncio
import ctypes
import json
import logging
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from uuid import UUID

import psycopg
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from runbook_nb.packs.control_plane.lab.agent_buffer import EventBuffer
from runbook_nb.packs.control_plane.lab.agent_composio import ComposioClient, ToolCall
from runbook_nb.packs.control_plane.lab.agent_database import AgentDatabase, DatabaseAwayError
from runbook_nb.packs.control_plane.lab.agent_events import Events
from runbook_nb.packs.control_plane.lab.agent_gemini import GeminiClient
from runbook_nb.packs.control_plane.lab.agent_inspections import Inspections
from runbook_nb.packs.control_plane.lab.agent_runs import Runs
from runbook_nb.packs.control_plane.lab.agent_sessions import Sessions

_PLATFORM_INTERVAL_S = 30.0
_SHORTEST_TOKEN = 10
_HAND_OVER_WITHIN_S = 0.25
_PR_SET_PDEATHSIG = 1

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the machine's environment says."""

    port: int
    database_dsn: str
    composio_url: str
    composio_token: str
    machine: str
    interval_s: float
    lag_decimals: int
    writes_allowed: bool
    pause_s: float
    attempts: int
    inspection_workers: int
    inspection_limit_s: float
    gemini: GeminiClient | None

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> "Settings":
        """Read the settings; KeyError names the variable that is missing."""
        return cls(
            port=int(environment["PORT"]),
            database_dsn=environment["DATABASE_DSN"],
            composio_url=environment["COMPOSIO_URL"],
            composio_token=environment["COMPOSIO_TOKEN"],
            machine=environment["FLY_MACHINE_ID"],
            interval_s=float(environment.get("HEARTBEAT_SECONDS", _PLATFORM_INTERVAL_S)),
            lag_decimals=int(environment.get("HEARTBEAT_LAG_DECIMALS", "0")),
            writes_allowed=environment.get("SUPABASE_ALLOW_WRITES", "true") == "true",
            pause_s=float(environment.get("COMPOSIO_PAUSE_S", "0")),
            attempts=int(environment.get("COMPOSIO_ATTEMPTS", "1")),
            inspection_workers=int(environment.get("INSPECTION_WORKERS", "4")),
            inspection_limit_s=float(environment.get("INSPECTION_LIMIT_S", "60")),
            gemini=GeminiClient.of(environment),
        )


class QuietServer(uvicorn.Server):
    """A uvicorn server that leaves signals to the process around it."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take no signal."""
        yield


def quiet_server(app: object, *, port: int = 0) -> QuietServer:
    """Make a server on 127.0.0.1 that logs warnings only; started with `serve`."""
    return QuietServer(
        uvicorn.Config(
            app,  # type: ignore[arg-type]  # uvicorn's own alias of an ASGI app is narrower
            host="127.0.0.1",
            port=port,
            loop="asyncio",
            http="h11",
            ws="none",
            lifespan="off",
            log_level="warning",
            access_log=False,
            timeout_graceful_shutdown=0,
        )
    )


class Agent:
    """The agent's HTTP service and the sessions it runs, on one event loop."""

    def __init__(self, settings: Settings) -> None:
        self._events = Events()
        self._database = AgentDatabase(
            settings.database_dsn, application_name=f"agent-{settings.machine}"
        )
        buffer = EventBuffer(machine=settings.machine, writes_allowed=settings.writes_allowed)
        self.sessions = Sessions(
            self._database,
            self._events,
            buffer=buffer,
            machine=settings.machine,
            interval_s=settings.interval_s,
            lag_decimals=settings.lag_decimals,
        )
        composio = ComposioClient(
            url=settings.composio_url, key=settings.composio_token, attempts=settings.attempts
        )
        self._runs = Runs(
            self._database,
            self._events,
            composio,
            pause_s=settings.pause_s,
            model=settings.gemini,
        )
        # On a connection of its own, so that no beat waits behind what is inspected.
        inspections = Inspections(
            AgentDatabase(settings.database_dsn, application_name=f"inspector-{settings.machine}"),
            composio,
            machine=settings.machine,
            workers=settings.inspection_workers,
            limit_s=settings.inspection_limit_s,
        )
        self.app = Starlette(
            routes=[
                Route("/health", self._health),
                Route("/execution/run", self._run, methods=["POST"]),
                Route("/execution/events", self._stream_events),
                *buffer.routes(self._database),
                *inspections.routes(),
            ]
        )

    async def _health(self, _request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def _run(self, request: Request) -> Response:
        if not _signed_in(request):
            return _refusal(401, "A bearer token is required.")
        try:
            body = json.loads(await request.body())
            mission, play = UUID(body["mission_id"]), UUID(body["play_id"])
            calls = [ToolCall.of(step) for step in body.get("steps", [])]
        except (ValueError, KeyError, TypeError, AttributeError):
            return _refusal(422, "mission_id and play_id are UUIDs, steps a list of tool calls.")
        return _lines(self._runs.stream(mission=mission, play=play, calls=calls))

    async def _stream_events(self, request: Request) -> Response:
        if not _signed_in(request):
            return _refusal(401, "A bearer token is required.")
        try:
            mission = UUID(request.query_params.get("mission_id", ""))
        except ValueError:
            return _refusal(422, "mission_id is a UUID.")
        return _lines(self._follow(mission))

    async def _follow(self, mission: UUID) -> AsyncIterator[str]:
        with self._events.reading(mission) as reader:
            while True:
                yield json.dumps(await reader.get()) + "\n"


async def serve(settings: Settings) -> None:
    """Serve and beat until SIGTERM; then hand the sessions over and return."""
    agent = Agent(settings)
    asked_to_end = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, asked_to_end.set)
    sessions = asyncio.create_task(agent.sessions.run())
    server = asyncio.create_task(quiet_server(agent.app, port=settings.port).serve())
    ending = asyncio.create_task(asked_to_end.wait())
    await asyncio.wait({sessions, server, ending}, return_when=asyncio.FIRST_COMPLETED)
    sessions.cancel()
    with suppress(asyncio.CancelledError):
        await sessions
    # A machine is stopped with little grace: what the database does not take now stays active.
    with suppress(TimeoutError, DatabaseAwayError, psycopg.Error):
        await asyncio.wait_for(agent.sessions.hand_over(), _HAND_OVER_WITHIN_S)


def end_with_parent() -> None:
    """Have the kernel kill us when the process that started us ends, even if we are stopped."""
    if sys.platform != "linux":
        return
    parent = os.getppid()
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    # It may have ended before the line above.
    if os.getppid() != parent:
        sys.exit("The process that started the agent has ended.")


def _signed_in(request: Request) -> bool:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return scheme.lower() == "bearer" and len(token) >= _SHORTEST_TOKEN


def _refusal(code: int, reason: str) -> Response:
    return JSONResponse({"detail": reason}, status_code=code)


def _lines(lines: AsyncIterator[str]) -> Response:
    # The platform says event-stream but sends bare JSON lines, without `data:`.
    return StreamingResponse(lines, media_type="text/event-stream")


async def _serve_and_exit(settings: Settings) -> None:
    await serve(settings)
    # Open streams would hold the interpreter's exit up; their clients see the connection close.
    os._exit(0)


def main() -> None:
    """Run the agent of one machine until it is told to end."""
    end_with_parent()
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(message)s")
    asyncio.run(_serve_and_exit(Settings.read(os.environ)))


if __name__ == "__main__":
    main()
