"""The CopilotKit runtime of the ui: a tab connects to its thread and is sent AG-UI events.

A thread is a mission. The state that is sent is the one of the mission's session at work, which is
what a reload of the page brings; its messages are kept nowhere at this version.
"""

import json
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any, Final
from uuid import UUID, uuid4

import psycopg
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from runbook_nb.packs.control_plane.lab.agent_database import AgentDatabase, DatabaseAwayError

AGENT: Final = "control_plane_coordinator"
CONNECT: Final = f"/api/copilotkit/agent/{AGENT}/connect"

_STATE: Final = """
SELECT session.state - 'runner' AS state
  FROM mission_sessions AS session
 WHERE session.mission_id = %(mission)s AND session.status = 'active'
 LIMIT 1
"""


def connect_route(database: AgentDatabase) -> Route:
    """Make the route by which a tab connects to its thread."""

    async def connect(request: Request) -> Response:
        try:
            thread = UUID(str(json.loads(await request.body())["threadId"]))
        except (ValueError, KeyError, TypeError):
            return _refused(HTTPStatus.BAD_REQUEST, "threadId is required")
        try:
            rows = await database.rows(_STATE, {"mission": thread})
        except (DatabaseAwayError, psycopg.Error):
            return _refused(HTTPStatus.INTERNAL_SERVER_ERROR, "Session store unavailable")
        if not rows:
            return _refused(HTTPStatus.NOT_FOUND, "Session not found")
        frames = (f"data: {json.dumps(each)}\n\n" for each in _events(thread, rows[0]["state"]))
        return StreamingResponse(frames, media_type="text/event-stream")

    return Route(CONNECT, connect, methods=["POST"])


def _events(thread: UUID, state: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the events of one connection, from the run's start to its end."""
    run = {"threadId": str(thread), "runId": str(uuid4())}
    yield {"type": "RUN_STARTED", **run}
    yield {"type": "STATE_SNAPSHOT", "snapshot": dict(state)}
    yield {"type": "MESSAGES_SNAPSHOT", "messages": []}
    yield {"type": "RUN_FINISHED", **run}


def _refused(code: HTTPStatus, message: str) -> Response:
    return JSONResponse({"error": message}, status_code=code)
