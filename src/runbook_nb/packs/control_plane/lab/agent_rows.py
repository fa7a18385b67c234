"""The rows of the sessions that an agent runs: claims, recoveries and beats."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import LiteralString
from uuid import UUID, uuid4

import psycopg
from psycopg.rows import DictRow
from psycopg.types.json import Jsonb

from runbook_nb.packs.control_plane.lab.agent_buffer import EventBuffer
from runbook_nb.packs.control_plane.lab.agent_database import AgentDatabase

_RESUMED_WITHIN = timedelta(minutes=15)
_TOKENS_A_BEAT = 7

# The runner is kept in the session's state: a session that another process ran is resumed.
_LEFT = """
SELECT session.id
  FROM mission_sessions AS session
  JOIN missions AS mission ON mission.id = session.mission_id
 WHERE mission.status = 'in_progress'
   AND session.status = 'terminated'
   AND session.state ? 'runner'
   AND session.updated_at > now() - %(within)s
"""

_RESUME = """
UPDATE mission_sessions
   SET status = 'active'
 WHERE id = %(session)s AND status = 'terminated'
"""

_ACTIVE = """
SELECT session.id, session.mission_id, mission.tenant_id, session.agent_name,
       persona.name AS persona, session.state ->> 'runner' AS runner
  FROM mission_sessions AS session
  JOIN missions AS mission ON mission.id = session.mission_id
  LEFT JOIN personas AS persona ON persona.id = mission.persona_id
 WHERE session.status = 'active'
   AND mission.status = 'in_progress'
 ORDER BY session.id
"""

_MACHINES = """
SELECT count(DISTINCT application_name) AS machines
  FROM pg_stat_activity
 WHERE application_name LIKE 'agent-%'
"""

_CLAIM = "SELECT pg_try_advisory_lock(hashtextextended(%(session)s::text, 0)) AS claimed"
_RELEASE = "SELECT pg_advisory_unlock(hashtextextended(%(session)s::text, 0))"

_RUN_BY = """
UPDATE mission_sessions
   SET state = state || jsonb_build_object('runner', %(runner)s::text)
 WHERE id = %(session)s
"""

_RUN_BY_NOBODY = "UPDATE mission_sessions SET state = state - 'runner' WHERE id = %(session)s"

_TERMINATE = """
UPDATE mission_sessions
   SET status = 'terminated'
 WHERE id = %(session)s AND status = 'active'
"""

_RECOVERED = """
INSERT INTO telemetry_events
       (mission_id, tenant_id, agent_name, stage, event_type, status, context, correlation_id)
VALUES (%(mission)s, %(tenant)s, %(agent)s, 'Execute', 'error_recovery_triggered', 'warning',
        %(context)s, %(correlation)s)
"""

_BEAT_ROW: LiteralString = """
    UPDATE mission_sessions
       SET last_heartbeat_at = now(),
           lag_ms = round(%(lag_ms)s::numeric),
           token_usage = coalesce(token_usage, 0) + %(tokens)s,
           state_size_bytes = octet_length(state::text)
     WHERE id = %(session)s AND status = 'active'
    RETURNING token_usage, state_size_bytes
"""

# One statement, so that a session that was terminated meanwhile gets no row.
_BEAT: LiteralString = f"""
WITH session AS ({_BEAT_ROW})
INSERT INTO telemetry_events
       (mission_id, tenant_id, agent_name, stage, event_type, status, context, correlation_id)
SELECT %(mission)s, %(tenant)s, %(agent)s, 'Execute', 'session_heartbeat', 'info',
       %(context)s || jsonb_build_object(
           'token_usage', token_usage, 'session_state_size_bytes', state_size_bytes),
       %(correlation)s
  FROM session
RETURNING id
"""


@dataclass(frozen=True, kw_only=True)
class Session:
    """A mission session as the agent runs it; ``correlation`` marks one claim of it."""

    id: UUID
    mission: UUID
    tenant: UUID
    agent_name: str
    persona: str | None
    runner: str | None
    correlation: str

    def context(self, **more: object) -> Jsonb:
        """Return the context that every telemetry event of the session carries."""
        return Jsonb(self.about(**more))

    def about(self, **more: object) -> dict[str, object]:
        """Return that context as plain values."""
        return {
            "mission_id": str(self.mission),
            "tenantId": str(self.tenant),
            "stage": "Execute",
            "persona": self.persona,
            "correlation_id": self.correlation,
            "agent_name": self.agent_name,
            **more,
        }

    def columns(self) -> dict[str, object]:
        """Return what the statements of this module bind of a session."""
        return {
            "session": self.id,
            "mission": self.mission,
            "tenant": self.tenant,
            "agent": self.agent_name,
            "correlation": self.correlation,
        }


class SessionRows:
    """Reads and writes the sessions of one agent process, ``runner``.

    A claim is a lock of the database connection, so it goes when the process dies. No statement
    locks two sessions: two that lock them in different orders would wait for each other.
    """

    def __init__(self, database: AgentDatabase, buffer: EventBuffer, *, runner: str) -> None:
        self._database = database
        self._buffer = buffer
        self._runner = runner

    @property
    def connections(self) -> int:
        """How often the database was connected to: claims are of the last connection only."""
        return self._database.connections

    async def resume(self) -> None:
        """Make sessions active again that a restart terminated less than 15 minutes ago."""
        for left in await self._database.rows(_LEFT, {"within": _RESUMED_WITHIN}):
            await self._database.rows(_RESUME, {"session": left["id"]})

    async def active(self) -> list[Session]:
        """List the active sessions of missions in progress, whoever runs them."""
        return [_session(row) for row in await self._database.rows(_ACTIVE)]

    async def machines(self) -> int:
        """Count the agent machines that are connected to the database."""
        return int((await self._database.rows(_MACHINES))[0]["machines"])

    async def claim(self, session: Session) -> bool:
        """Claim a session unless another process has it; tell of one that another one lost."""
        claimed = await self._database.rows(_CLAIM, {"session": session.id})
        if not claimed[0]["claimed"]:
            return False
        await self._database.rows(_RUN_BY, {"runner": self._runner, "session": session.id})
        if session.runner not in {None, self._runner}:
            context = session.context(recovery_action="resume_from_checkpoint")
            await self._database.rows(_RECOVERED, {**session.columns(), "context": context})
        return True

    async def hand_over(self, session: UUID) -> None:
        """Leave a session to the other machines; nothing has to be recovered."""
        await self._database.rows(_RUN_BY_NOBODY, {"session": session})
        await self.release(session)

    async def release(self, session: UUID) -> None:
        """Give a claim up."""
        await self._database.rows(_RELEASE, {"session": session})

    async def terminate(self, sessions: list[UUID]) -> None:
        """Mark sessions terminated, to be resumed by the next process."""
        for session in sessions:
            await self._database.rows(_TERMINATE, {"session": session})

    async def beat(self, session: Session, *, lag_ms: Callable[[], float]) -> float | None:
        """Write one beat and return its lag in milliseconds; None if the session has ended.

        ``lag_ms`` is asked when the beat is sent, which is when the connection is ours.
        """
        async with self._database.ready() as connection:
            lag = lag_ms()
            parameters = {
                **session.columns(),
                "lag_ms": float(lag),
                "tokens": _TOKENS_A_BEAT,
                "context": session.context(lag_ms=lag),
            }
            if not self._buffer.holds_back:
                try:
                    cursor = await connection.execute(_BEAT, parameters)
                except psycopg.OperationalError:
                    raise
                except psycopg.Error as error:
                    # The session goes on unseen, as on the platform: only its events wait.
                    self._buffer.degrade(str(error).splitlines()[0])
                else:
                    return lag if cursor.rowcount else None
            cursor = await connection.execute(_BEAT_ROW, parameters)
            row = await cursor.fetchone()
        if row is None:
            return None
        self._buffer.keep(
            mission_id=session.mission,
            tenant_id=session.tenant,
            agent_name=session.agent_name,
            stage="Execute",
            event_type="session_heartbeat",
            status="info",
            context=session.about(
                lag_ms=lag,
                token_usage=row["token_usage"],
                session_state_size_bytes=row["state_size_bytes"],
            ),
            correlation_id=session.correlation,
        )
        return lag


def _session(row: DictRow) -> Session:
    return Session(
        id=row["id"],
        mission=row["mission_id"],
        tenant=row["tenant_id"],
        agent_name=row["agent_name"],
        persona=row["persona"],
        runner=row["runner"],
        correlation=uuid4().hex,
    )
