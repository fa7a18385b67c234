"""The rows that the ui writes of its streams, sent to the database beside the streams."""

import asyncio
import logging
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import LiteralString
from uuid import UUID, uuid4

import psycopg
from psycopg.types.json import Jsonb

from runbook_nb.packs.control_plane.lab.agent_database import AgentDatabase, DatabaseAwayError

_log = logging.getLogger(__name__)

_BEATS_WAITING = 64
_ROWS_WAITING = 512
_TRY_AGAIN_S = 0.2

_TENANT_OF = "SELECT tenant_id FROM missions WHERE id = %(mission)s"

_OPENED = """
INSERT INTO workspace_stream_sessions
       (id, mission_id, tenant_id, session_id, stage, sampling_mode, telemetry_disabled, metadata)
SELECT %(stream)s, %(mission)s, %(tenant)s, %(session)s, 'Execute', %(sampling)s, false,
       jsonb_strip_nulls(jsonb_build_object('revision_id', (
           SELECT state -> 'revision_id' FROM mission_sessions
            WHERE mission_id = %(mission)s AND status = 'active' LIMIT 1)))
"""

# A tab is told of a newer state with each beat, and holds that revision from then on.
_TOLD = """
UPDATE workspace_stream_sessions AS stream
   SET metadata = stream.metadata
       || jsonb_build_object('revision_id', session.state -> 'revision_id')
  FROM mission_sessions AS session
 WHERE stream.id = %(stream)s AND stream.disconnected_at IS NULL
   AND session.mission_id = stream.mission_id AND session.status = 'active'
   AND (session.state ->> 'revision_id')::int
       > coalesce((stream.metadata ->> 'revision_id')::int, 0)
"""

_CLOSED = """
UPDATE workspace_stream_sessions
   SET disconnected_at = now(),
       metadata = metadata || jsonb_build_object('ended_by', %(ended_by)s::text)
 WHERE id = %(stream)s AND disconnected_at IS NULL
"""

_EVENT = """
INSERT INTO telemetry_events
       (mission_id, tenant_id, stage, event_type, status, context, correlation_id)
VALUES (%(mission)s, %(tenant)s, 'Execute', %(event)s, 'info', %(context)s, %(correlation)s)
"""


@dataclass(frozen=True, kw_only=True)
class Viewed:
    """A mission that somebody watches through one stream."""

    mission: UUID
    tenant: UUID
    session: str
    sampling: str
    stream: UUID = field(default_factory=uuid4)

    @property
    def names(self) -> dict[str, object]:
        """What every event of the stream says of the mission."""
        return {"mission_id": str(self.mission), "tenant_id": str(self.tenant)}


class StreamTelemetry:
    """Writes rows in the order they were given, without making any stream wait.

    While the database is away beats are dropped, and what opened or closed is kept for later.
    """

    def __init__(self, database: AgentDatabase) -> None:
        self._database = database
        self._waiting: deque[tuple[LiteralString, Mapping[str, object]]] = deque(
            maxlen=_ROWS_WAITING
        )
        self._given = asyncio.Event()
        self._tenants: dict[UUID, UUID] = {}

    async def tenant_of(self, mission: UUID) -> UUID | None:
        """Return the tenant of a mission, None if there is no such mission."""
        if mission not in self._tenants:
            rows = await self._database.rows(_TENANT_OF, {"mission": mission})
            if not rows:
                return None
            self._tenants[mission] = rows[0]["tenant_id"]
        return self._tenants[mission]

    def opened(self, viewed: Viewed) -> None:
        """Tell that a stream was opened."""
        self._give(
            _OPENED,
            {
                "stream": viewed.stream,
                "mission": viewed.mission,
                "tenant": viewed.tenant,
                "session": viewed.session,
                "sampling": viewed.sampling,
            },
        )
        self._event(
            viewed,
            "workspace_stream_open",
            session_id=viewed.session,
            telemetry_disabled=False,
            sampling_mode=viewed.sampling,
        )

    def closed(self, viewed: Viewed, *, ended_by: str) -> None:
        """Tell that a stream has ended, by the client or as the execution was complete."""
        self._give(_CLOSED, {"stream": viewed.stream, "ended_by": ended_by})

    def beat(self, viewed: Viewed) -> None:
        """Tell that the proxy has sent a beat of its own: no agent and no lag stand in it."""
        if len(self._waiting) < _BEATS_WAITING:
            self._event(viewed, "session_heartbeat")
            self._give(_TOLD, {"stream": viewed.stream})

    def metrics(self, viewed: Viewed, context: Mapping[str, object]) -> None:
        """Tell how late the agent's beats were."""
        self._event(viewed, "streaming_heartbeat_metrics", **context)

    async def run(self) -> None:
        """Write what was given, for ever."""
        while True:
            await self._given.wait()
            while self._waiting:
                await self._write(*self._waiting.popleft())
            self._given.clear()

    async def _write(self, statement: LiteralString, parameters: Mapping[str, object]) -> None:
        while True:
            try:
                await self._database.rows(statement, parameters)
            except DatabaseAwayError:
                await asyncio.sleep(_TRY_AGAIN_S)
                continue
            except psycopg.Error as error:
                _log.warning("A row of a stream was refused: %s", error)
            return

    def _event(self, viewed: Viewed, event: str, **context: object) -> None:
        about = {
            "mission_id": str(viewed.mission),
            "tenantId": str(viewed.tenant),
            "stage": "Execute",
            "correlation_id": str(viewed.stream),
        }
        self._give(
            _EVENT,
            {
                "mission": viewed.mission,
                "tenant": viewed.tenant,
                "event": event,
                "context": Jsonb({**about, **context}),
                "correlation": str(viewed.stream),
            },
        )

    def _give(self, statement: LiteralString, parameters: Mapping[str, object]) -> None:
        self._waiting.append((statement, parameters))
        self._given.set()
