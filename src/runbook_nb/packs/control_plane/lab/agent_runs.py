"""Runs of a play: its tool calls, one after another, each sent to Composio."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Sequence
from uuid import UUID

import psycopg
from psycopg.types.json import Jsonb

from runbook_nb.packs.control_plane.lab.agent_composio import Called, ComposioClient, ToolCall
from runbook_nb.packs.control_plane.lab.agent_database import AgentDatabase, DatabaseAwayError
from runbook_nb.packs.control_plane.lab.agent_events import Events, Record
from runbook_nb.packs.control_plane.lab.agent_gemini import GeminiClient, Turn
from runbook_nb.packs.control_plane.lab.agent_waiting import OPENS_AFTER, Waiting

# Between two tool calls the model decides what comes next; the event loop is free meanwhile.
_MODEL_TURN_S = 0.3
# How a run ends: all its calls were tried, or a circuit opened and what is left waits.
_ENDS = frozenset({"execution_complete", "execution_paused"})

_RECORD_CALL = """
WITH mission AS (
    SELECT id, tenant_id FROM missions WHERE id = %(mission)s
), audit AS (
    INSERT INTO composio_audit_events
           (mission_id, tenant_id, toolkit, action, status, outcome, latency_ms, error_code,
            retries)
    SELECT id, tenant_id, %(toolkit)s, %(action)s, %(outcome)s, %(details)s,
           %(duration_ms)s, %(error_code)s, %(retries)s
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

_RECORD_REFUSAL = """
INSERT INTO telemetry_events
       (mission_id, tenant_id, agent_name, stage, event_type, status, context, correlation_id)
SELECT id, tenant_id, 'executor', 'Execute', 'model_call_error', 'error',
       %(details)s || jsonb_build_object(
           'mission_id', id, 'tenantId', tenant_id, 'stage', 'Execute',
           'correlation_id', %(play)s::text),
       %(play)s::text
  FROM missions
 WHERE id = %(mission)s
"""

_LEVELS = {
    "success": "success",
    "rate_limit": "warning",
    "auth_expired": "error",
    "error": "error",
}

_log = logging.getLogger(__name__)


class Runs:
    """Runs plays in the background: a run goes on when the client that asked for it has gone."""

    def __init__(
        self,
        database: AgentDatabase,
        events: Events,
        composio: ComposioClient,
        *,
        pause_s: float = 0,
        model: GeminiClient | None = None,
    ) -> None:
        self._database = database
        self._events = events
        self._composio = composio
        self._waiting = Waiting(database)
        self._pause_s = pause_s
        self._model = model
        self._running: set[asyncio.Task[None]] = set()

    async def stream(
        self, *, mission: UUID, play: UUID, calls: Sequence[ToolCall]
    ) -> AsyncIterator[str]:
        """Start a run and yield its records, one JSON object a line, until it ends."""
        with self._events.reading(mission) as reader:
            run = asyncio.create_task(self._run(mission=mission, play=play, calls=calls))
            self._running.add(run)
            run.add_done_callback(self._running.discard)
            while True:
                record = await reader.get()
                if record.get("play_id") != str(play):
                    continue
                yield json.dumps(record) + "\n"
                if record["type"] in _ENDS:
                    return

    async def _run(self, *, mission: UUID, play: UUID, calls: Sequence[ToolCall]) -> None:
        about: Record = {"mission_id": str(mission), "play_id": str(play)}
        self._events.publish(
            mission, {"type": "execution_started", **about, "action_count": len(calls)}
        )
        failed: list[tuple[ToolCall, Called]] = []
        in_a_row = 0
        for place, call in enumerate(calls, start=1):
            await asyncio.sleep(_MODEL_TURN_S + self._pause_s)
            turn = await self._decide(call)
            if turn and turn.error_code:
                # The platform has no fallback of its own: without the model nothing comes next.
                await self._record_refusal(turn, mission=mission, play=play)
                await self._leave(mission, play, failed, calls[place - 1 :])
                self._events.publish(mission, {"type": "execution_paused", **about})
                return
            # Called in the event loop, as the platform's agent does: until the tool answers, no
            # beat is sent and no request is served. A thread would hide the defect.
            called = self._composio.execute(call)
            self._events.publish(mission, {**_completed(call, called), **about})
            await self._record(call, called, turn, mission=mission, play=play)
            if called.error_code is None:
                in_a_row = 0
                continue
            failed.append((call, called))
            in_a_row += 1
            if in_a_row == OPENS_AFTER:
                await self._leave(mission, play, failed, calls[place:])
                self._events.publish(mission, {"type": "execution_paused", **about})
                return
        if failed:
            await self._leave(mission, play, failed, [])
        self._events.publish(mission, {"type": "execution_complete", **about})

    async def _leave(
        self,
        mission: UUID,
        play: UUID,
        failed: Sequence[tuple[ToolCall, Called]],
        unmade: Sequence[ToolCall],
    ) -> None:
        try:
            await self._waiting.leave(mission, play, failed=failed, unmade=unmade)
        except (DatabaseAwayError, psycopg.Error) as error:
            _log.warning("Calls that wait could not be kept: %s", error)

    async def _decide(self, call: ToolCall) -> Turn | None:
        if self._model is None:
            return None
        about = json.dumps({"tool": call.tool, "arguments": call.arguments})
        return await asyncio.to_thread(self._model.turn, about)

    async def _record_refusal(self, turn: Turn, *, mission: UUID, play: UUID) -> None:
        details = Jsonb(turn.as_json())
        try:
            await self._database.rows(
                _RECORD_REFUSAL, {"mission": mission, "play": play, "details": details}
            )
        except (DatabaseAwayError, psycopg.Error) as error:
            _log.warning("A refusal of the model could not be recorded: %s", error)

    async def _record(
        self, call: ToolCall, called: Called, turn: Turn | None, *, mission: UUID, play: UUID
    ) -> None:
        details = {
            **(turn.usage() if turn else {}),
            "toolkit": call.toolkit,
            "action": call.tool,
            "duration_ms": called.duration_ms,
            "outcome": called.outcome,
            "play_id": str(play),
            "action_id": call.id,
            "log_id": called.log_id,
            "http_status": called.http_status,
            "retry_after_seconds": called.retry_after_s,
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
                    "level": _LEVELS[called.outcome],
                    "details": Jsonb(details),
                    "duration_ms": called.duration_ms,
                    "error_code": called.error_code,
                    "retries": called.retries,
                },
            )
            if called.error_code is None:
                await self._waiting.done(mission, call)
        except (DatabaseAwayError, psycopg.Error) as error:
            _log.warning("A tool call could not be recorded: %s", error)


def _completed(call: ToolCall, called: Called) -> Record:
    return {
        "type": "execution_step_completed",
        "action_id": call.id,
        "toolkit": call.toolkit,
        "action_name": call.tool,
        "duration_ms": called.duration_ms,
        "status": called.outcome,
    }
