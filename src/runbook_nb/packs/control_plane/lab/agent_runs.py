"""Runs of a play: its tool calls, one after another, each sent to Composio."""

import asyncio
import http.client
import json
import logging
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import psycopg
from psycopg.types.json import Jsonb

from runbook_nb.packs.control_plane.lab.agent_database import AgentDatabase, DatabaseAwayError
from runbook_nb.packs.control_plane.lab.agent_events import Events, Record

_CALL_TIMEOUT_S = 60.0
# Between two tool calls the model decides what comes next; the event loop is free meanwhile.
_MODEL_TURN_S = 0.3
_OK = 200

_RECORD_CALL = """
WITH mission AS (
    SELECT id, tenant_id FROM missions WHERE id = %(mission)s
), audit AS (
    INSERT INTO composio_audit_events
           (mission_id, tenant_id, toolkit, action, status, outcome, latency_ms, error_code)
    SELECT id, tenant_id, %(toolkit)s, %(action)s, %(outcome)s, %(details)s,
           %(duration_ms)s, %(error_code)s
      FROM mission
)
INSERT INTO telemetry_events
       (mission_id, tenant_id, agent_name, stage, event_type, status, context, correlation_id)
SELECT id, tenant_id, 'executor', 'Execute', 'composio_tool_call', %(level)s::telemetry_level,
       %(details)s || jsonb_build_object(
           'mission_id', id, 'tenantId', tenant_id, 'stage', 'Execute',
           'correlation_id', %(play)s::text),
       %(play)s::text
  FROM mission
"""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class ToolCall:
    """One step of a play: the tool's slug and what it is called with."""

    tool: str
    arguments: dict[str, object] = field(default_factory=dict)

    @property
    def toolkit(self) -> str:
        """The toolkit a tool belongs to: the first word of its slug."""
        return self.tool.partition("_")[0].lower()


@dataclass(frozen=True, kw_only=True)
class Called:
    """What became of a tool call; ``error_code`` is None when it succeeded."""

    duration_ms: int
    error_code: str | None

    @property
    def outcome(self) -> str:
        """The word the platform keeps for it."""
        return "success" if self.error_code is None else "error"


class ComposioClient:
    """Composio's HTTP API, as the agent uses it."""

    def __init__(self, *, url: str, key: str) -> None:
        self._address = urlsplit(url).netloc
        self._key = key

    def execute(self, call: ToolCall) -> Called:
        """Execute a tool and wait for its answer, up to 60 s."""
        began = time.monotonic()
        error_code = self._error_code(call)
        duration_ms = round((time.monotonic() - began) * 1000)
        return Called(duration_ms=duration_ms, error_code=error_code)

    def _error_code(self, call: ToolCall) -> str | None:
        connection = http.client.HTTPConnection(self._address, timeout=_CALL_TIMEOUT_S)
        try:
            connection.request(
                "POST",
                f"/api/v3.1/tools/execute/{call.tool}",
                body=json.dumps({"arguments": call.arguments}),
                headers={"content-type": "application/json", "x-api-key": self._key},
            )
            answer = connection.getresponse()
            body = json.loads(answer.read())
        except (OSError, http.client.HTTPException, ValueError) as error:
            return type(error).__name__
        finally:
            connection.close()
        if answer.status != _OK:
            return f"HTTP_{answer.status}"
        return None if body["successful"] else "TOOL_FAILED"


class Runs:
    """Runs plays in the background: a run goes on when the client that asked for it has gone."""

    def __init__(self, database: AgentDatabase, events: Events, composio: ComposioClient) -> None:
        self._database = database
        self._events = events
        self._composio = composio
        self._running: set[asyncio.Task[None]] = set()

    async def stream(
        self, *, mission: UUID, play: UUID, calls: Sequence[ToolCall]
    ) -> AsyncIterator[str]:
        """Start a run and yield its records, one JSON object a line, until it is complete."""
        with self._events.reading(mission) as reader:
            run = asyncio.create_task(self._run(mission=mission, play=play, calls=calls))
            self._running.add(run)
            run.add_done_callback(self._running.discard)
            while True:
                record = await reader.get()
                if record.get("play_id") != str(play):
                    continue
                yield json.dumps(record) + "\n"
                if record["type"] == "execution_complete":
                    return

    async def _run(self, *, mission: UUID, play: UUID, calls: Sequence[ToolCall]) -> None:
        about: Record = {"mission_id": str(mission), "play_id": str(play)}
        self._events.publish(
            mission, {"type": "execution_started", **about, "action_count": len(calls)}
        )
        for call in calls:
            await asyncio.sleep(_MODEL_TURN_S)
            # Called in the event loop, as the platform's agent does: until the tool answers, no
            # beat is sent and no request is served. A thread would hide the defect.
            called = self._composio.execute(call)
            self._events.publish(mission, {**_completed(call, called), **about})
            await self._record(call, called, mission=mission, play=play)
        self._events.publish(mission, {"type": "execution_complete", **about})

    async def _record(self, call: ToolCall, called: Called, *, mission: UUID, play: UUID) -> None:
        details = {
            "toolkit": call.toolkit,
            "action": call.tool,
            "duration_ms": called.duration_ms,
            "outcome": called.outcome,
            "play_id": str(play),
        }
        try:
            await self._database.rows(
                _RECORD_CALL,
                {
                    "mission": mission,
                    "play": play,
                    "toolkit": call.toolkit,
                    "action": call.tool,
                    "outcome": called.outcome,
                    "level": called.outcome,
                    "details": Jsonb(details),
                    "duration_ms": called.duration_ms,
                    "error_code": called.error_code,
                },
            )
        except (DatabaseAwayError, psycopg.Error) as error:
            _log.warning("A tool call could not be recorded: %s", error)


def _completed(call: ToolCall, called: Called) -> Record:
    return {
        "type": "execution_step_completed",
        "action_id": uuid4().hex,
        "toolkit": call.toolkit,
        "action_name": call.tool,
        "duration_ms": called.duration_ms,
        "status": called.outcome,
    }
