"""The agent's memory of events that it could not store: sticky, and gone with the process."""

import logging
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import psycopg
from psycopg.types.json import Jsonb
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from runbook_nb.packs.control_plane.lab.agent_database import AgentDatabase, DatabaseAwayError

_KEPT = 20_000
_PAGE = 500
_BATCH = 500

_STORE = """
INSERT INTO telemetry_events
       (id, mission_id, tenant_id, agent_name, stage, event_type, status, context, correlation_id,
        created_at)
VALUES (%(id)s, %(mission_id)s, %(tenant_id)s, %(agent_name)s, %(stage)s, %(event_type)s,
        %(status)s, %(context)s, %(correlation_id)s, %(created_at)s)
ON CONFLICT (id) DO NOTHING
"""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class BufferedEvent:
    """An event with the id and the time that it had when it happened."""

    columns: Mapping[str, Any]

    def as_json(self) -> dict[str, object]:
        """Return the event as it is shown to whoever saves it."""
        return {
            name: value if isinstance(value, dict) or value is None else str(value)
            for name, value in self.columns.items()
        }


class EventBuffer:
    """Holds events back while the agent may not write, or after one write was refused.

    As on the platform, a refused write is never forgotten: the agent holds every later event back
    until it is told to flush, or is restarted, which loses what it holds.
    """

    def __init__(self, *, machine: str, writes_allowed: bool) -> None:
        self._machine = machine
        self._writes_allowed = writes_allowed
        self._degraded = ""
        self._events: deque[BufferedEvent] = deque(maxlen=_KEPT)
        self._dropped = 0

    @property
    def holds_back(self) -> bool:
        """Tell whether events are kept here instead of being stored."""
        return bool(self._degraded) or not self._writes_allowed

    def degrade(self, reason: str) -> None:
        """Hold every event back from now on."""
        if not self._degraded:
            _log.warning("Events are held back from now on: %s", reason)
        self._degraded = reason

    def keep(self, **columns: object) -> None:
        """Keep an event of now; the oldest goes when there is no room."""
        self._dropped += len(self._events) == _KEPT
        stamped = {"id": uuid4(), **columns, "created_at": datetime.now(UTC)}
        self._events.append(BufferedEvent(columns=stamped))

    async def flush(self, database: AgentDatabase) -> int:
        """Store what is held, oldest first, and hold nothing back; return how many it was.

        Raises what the database raises; then what was not stored is still held.
        """
        stored = 0
        while self._events:
            batch = [self._events[place] for place in range(min(_BATCH, len(self._events)))]
            async with database.ready() as connection, connection.transaction():
                for event in batch:
                    context = Jsonb(event.columns["context"])
                    await connection.execute(_STORE, {**event.columns, "context": context})
            for _event in batch:
                self._events.popleft()
            stored += len(batch)
        self._degraded = ""
        return stored

    def routes(self, database: AgentDatabase) -> list[Route]:
        """Make the routes that show what is held, a page at a time, and flush it."""

        async def show(request: Request) -> Response:
            after = int(request.query_params.get("after", "0"))
            return JSONResponse(self._shown(after))

        async def flush(_request: Request) -> Response:
            if not self._writes_allowed:
                return JSONResponse({"detail": "SUPABASE_ALLOW_WRITES is not true."}, 409)
            try:
                return JSONResponse({"stored": await self.flush(database), **self._state()})
            except (DatabaseAwayError, psycopg.Error) as error:
                self.degrade(str(error))
                return JSONResponse({"detail": str(error)}, 503)

        return [
            Route("/telemetry/buffer", show),
            Route("/telemetry/flush", flush, methods=["POST"]),
        ]

    def _state(self) -> dict[str, object]:
        oldest = self._events[0].columns["created_at"].isoformat() if self._events else None
        return {
            "machine": self._machine,
            "writes_allowed": self._writes_allowed,
            "degraded": self._degraded or None,
            "depth": len(self._events),
            "oldest_at": oldest,
            "dropped": self._dropped,
        }

    def _shown(self, after: int) -> dict[str, object]:
        upto = min(after + _PAGE, len(self._events))
        page = [self._events[place].as_json() for place in range(after, upto)]
        further = upto if upto < len(self._events) else None
        return {**self._state(), "events": page, "next": further}
