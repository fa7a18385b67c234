"""Tool calls of a run that could not be made: they wait in the session's state until it resumes."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from psycopg.types.json import Jsonb

from runbook_nb.packs.control_plane.lab.agent_composio import Called, ToolCall
from runbook_nb.packs.control_plane.lab.agent_database import AgentDatabase

# After so many calls in a row that failed, a toolkit's circuit opens.
OPENS_AFTER: Final = 3

# One statement, so that a call is never twice in the list, nor missing from it.
_KEEP: Final = """
UPDATE mission_sessions AS session
   SET state = session.state || jsonb_build_object('waiting_actions', (
           SELECT coalesce(jsonb_agg(action ORDER BY place), '[]')
             FROM (
                SELECT action, place
                  FROM jsonb_array_elements(coalesce(session.state -> 'waiting_actions', '[]'))
                       WITH ORDINALITY AS kept (action, place)
                 WHERE NOT action ->> 'action_id' = ANY(%(named)s)
                UNION ALL
                SELECT action, 1000000 + place
                  FROM jsonb_array_elements(%(waiting)s) WITH ORDINALITY AS new (action, place)
             ) AS listed))
 WHERE session.mission_id = %(mission)s
   AND session.status = 'active'
   AND (session.state ? 'waiting_actions' OR jsonb_array_length(%(waiting)s) > 0)
"""


class Waiting:
    """The list of a mission's calls that wait, oldest first."""

    def __init__(self, database: AgentDatabase) -> None:
        self._database = database

    async def leave(
        self,
        mission: UUID,
        play: UUID,
        *,
        failed: Sequence[tuple[ToolCall, Called]],
        unmade: Sequence[ToolCall],
    ) -> None:
        """Let the calls that failed and those that were not made wait, in their order."""
        waiting = [_entry(call, play, called) for call, called in failed]
        waiting += [_entry(call, play) for call in unmade]
        await self._write(mission, waiting, named=[call.id for call in unmade])

    async def done(self, mission: UUID, call: ToolCall) -> None:
        """Take a call from the list: it was made."""
        await self._write(mission, [], named=[call.id])

    async def _write(
        self, mission: UUID, waiting: list[dict[str, object]], *, named: list[str]
    ) -> None:
        names = [*named, *(str(entry["action_id"]) for entry in waiting)]
        parameters = {"mission": mission, "waiting": Jsonb(waiting), "named": names}
        await self._database.rows(_KEEP, parameters)


def _entry(call: ToolCall, play: UUID, called: Called | None = None) -> dict[str, object]:
    return {
        "action_id": call.id,
        "play_id": str(play),
        "tool": call.tool,
        "toolkit": call.toolkit,
        "arguments": call.arguments,
        "user_id": call.user_id,
        "error_code": called.error_code if called else None,
        "answer_lost": called.answer_lost if called else False,
        "since": datetime.now(UTC).isoformat(),
    }
