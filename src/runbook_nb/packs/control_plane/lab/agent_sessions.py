"""The sessions that an agent machine runs: its fair share, each heard by its beats."""

import asyncio
import logging
import math
import time
from collections.abc import Callable
from functools import partial
from uuid import UUID, uuid4

import psycopg

from runbook_nb.packs.control_plane.lab.agent_buffer import EventBuffer
from runbook_nb.packs.control_plane.lab.agent_database import AgentDatabase, DatabaseAwayError
from runbook_nb.packs.control_plane.lab.agent_events import Events
from runbook_nb.packs.control_plane.lab.agent_rows import Session, SessionRows

_CLAIM_EVERY_S = 1.0
# Beats of one machine are sent this part of an interval apart, so that they do not queue.
_SPREAD = 0.01
_BEATS_A_STEP = 3

_log = logging.getLogger(__name__)


class Sessions:
    """Claims this machine's fair share of the active sessions and beats for each of them.

    ``interval_s`` is the time between two beats of a session; with ``lag_decimals`` above 0
    the lag is written as a number with that many decimals, else as whole milliseconds.
    """

    def __init__(
        self,
        database: AgentDatabase,
        events: Events,
        *,
        buffer: EventBuffer,
        machine: str,
        interval_s: float,
        lag_decimals: int = 0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._rows = SessionRows(database, buffer, runner=f"{machine}:{uuid4().hex[:12]}")
        self._events = events
        self._interval_s = interval_s
        self._lag_decimals = lag_decimals
        self._clock = clock
        self._running: dict[UUID, asyncio.Task[None]] = {}
        self._connections = 0
        self._resumed = False

    async def run(self) -> None:
        """Claim and release sessions for ever; beats run beside it."""
        while True:
            try:
                await self._balance()
            except DatabaseAwayError:
                await self._drop_all()
            except psycopg.Error as error:
                _log.warning("Sessions could not be claimed: %s", error)
            await asyncio.sleep(min(_CLAIM_EVERY_S, self._interval_s))

    async def hand_over(self) -> None:
        """Stop all beats; other machines take our sessions, else they are marked terminated.

        A process that starts within 15 minutes resumes what was terminated.
        """
        ours = list(self._running)
        await self._drop_all()
        if await self._rows.machines() == 1:
            await self._rows.terminate(ours)
            return
        for session in ours:
            await self._rows.hand_over(session)

    async def _balance(self) -> None:
        if not self._resumed:
            await self._rows.resume()
            self._resumed = True
        active = await self._rows.active()
        if self._connections != self._rows.connections:
            # The locks went with the lost connection, so another machine may run these now.
            await self._drop_all()
            self._connections = self._rows.connections
        await self._forget_ended({session.id for session in active})
        share = math.ceil(len(active) / max(1, await self._rows.machines()))
        for surplus in list(self._running)[share:]:
            await self._drop(surplus)
            await self._rows.hand_over(surplus)
        for session in active:
            if len(self._running) < share and session.id not in self._running:
                await self._claim(session)

    async def _forget_ended(self, active: set[UUID]) -> None:
        ended = [
            session
            for session, task in self._running.items()
            if task.done() or session not in active
        ]
        for session in ended:
            await self._drop(session)
            await self._rows.release(session)

    async def _claim(self, session: Session) -> None:
        if not await self._rows.claim(session):
            return
        offset_s = len(self._running) * self._interval_s * _SPREAD
        self._running[session.id] = asyncio.create_task(
            self._beat_for(session, first=self._clock() + offset_s)
        )

    async def _drop(self, session: UUID) -> None:
        task = self._running.pop(session)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    async def _drop_all(self) -> None:
        for session in list(self._running):
            await self._drop(session)

    async def _beat_for(self, session: Session, *, first: float) -> None:
        """Beat on a fixed schedule until the session is no longer active."""
        due = first
        beats = 0
        while True:
            await asyncio.sleep(due - self._clock())
            try:
                lag_ms = await self._rows.beat(session, lag_ms=partial(self._lag_ms, due))
            except DatabaseAwayError:
                # The claims are gone with the connection; the next round claims again.
                return
            if lag_ms is None:
                return
            beats += 1
            self._publish(session, lag_ms=lag_ms, beats=beats)
            # What was missed while the loop was blocked is not made up: one late beat, no more.
            missed = math.floor((self._clock() - due) / self._interval_s)
            due += (missed + 1) * self._interval_s

    def _lag_ms(self, due: float) -> float:
        lag_ms = (self._clock() - due) * 1000
        return round(lag_ms, self._lag_decimals) if self._lag_decimals else round(lag_ms)

    def _publish(self, session: Session, *, lag_ms: float, beats: int) -> None:
        about = {"mission_id": str(session.mission), "agent_name": session.agent_name}
        self._events.publish(session.mission, {"type": "agent_beat", **about, "lag_ms": lag_ms})
        if beats % _BEATS_A_STEP == 0:
            step = {"action_id": f"{session.correlation}-{beats}", "status": "success"}
            self._events.publish(
                session.mission, {"type": "execution_step_completed", **about, **step}
            )
