"""Browsers that watch missions: clients of the edge that behave as an EventSource does.

Run as `python -m runbook_nb.packs.control_plane.lab.browsers`, it is one tab of a browser.
"""

import argparse
import asyncio
import logging
import time
from collections.abc import Callable
from http import HTTPStatus
from uuid import UUID

import httpx

from runbook_nb.packs.control_plane.lab.agent_database import AgentDatabase, DatabaseAwayError
from runbook_nb.timeline.store.embedded.processes import ProcessIdentity

# What browsers wait after a dropped stream unless the stream says otherwise.
_RETRY_S = 3.0
_CONNECT_TIMEOUT_S = 5.0
_TRY_AGAIN_S = 0.5
_STREAM = "/api/stream/execution"

_LIVE = """
SELECT DISTINCT session.mission_id
  FROM mission_sessions AS session
  JOIN missions AS mission ON mission.id = session.mission_id
 WHERE session.status = 'active'
   AND mission.status = 'in_progress'
   AND mission.current_stage = 'Execute'
"""

_log = logging.getLogger(__name__)


class EventSource:
    """One stream kept open: connected again 3 s after it drops, until the server answers 204.

    With ``every_s`` it is a tab with a broken retry: it drops its own stream and connects again
    every so many seconds, whether or not anything went wrong.
    """

    def __init__(
        self, edge: str, *, mission: UUID, session: str, every_s: float | None = None
    ) -> None:
        self._client = httpx.AsyncClient(
            base_url=edge,
            params={"mission_id": str(mission), "session_id": session},
            headers={"accept": "text/event-stream", "cache-control": "no-store"},
            timeout=httpx.Timeout(None, connect=_CONNECT_TIMEOUT_S),
            trust_env=False,
        )
        self._every_s = every_s

    async def run(self, *, wanted: Callable[[], bool] = lambda: True) -> None:
        """Stay connected until the server says 204, or nobody wants the stream any more."""
        while wanted():
            began = time.monotonic()
            code = await self._read()
            if code == HTTPStatus.NO_CONTENT:
                return
            pause_s = _RETRY_S if self._every_s is None else self._every_s
            if self._every_s is not None:
                pause_s -= time.monotonic() - began
            await asyncio.sleep(max(0.0, pause_s))

    async def _read(self) -> int | None:
        """Read one stream to its end; return the server's status, None if there was none."""
        code = None
        try:
            async with (
                asyncio.timeout(self._every_s),
                self._client.stream("GET", _STREAM) as answer,
            ):
                code = answer.status_code
                if code == HTTPStatus.OK:
                    async for _ in answer.aiter_raw():
                        pass
        except (httpx.TransportError, TimeoutError):
            return code
        return code


async def watch_live_missions(edge: str, database: AgentDatabase) -> None:
    """Open one tab for each live mission and keep it open."""
    missions: list[UUID] = []
    while not missions:
        try:
            missions = [row["mission_id"] for row in await database.rows(_LIVE)]
        except DatabaseAwayError:
            _log.warning("The browsers wait for the database.")
        if not missions:
            await asyncio.sleep(_TRY_AGAIN_S)
    async with asyncio.TaskGroup() as tabs:
        for mission in missions:
            tab = EventSource(edge, mission=mission, session=f"tab-{mission.hex[:8]}")
            tabs.create_task(tab.run())


def main() -> None:
    """Open one tab on a mission, until the server says 204 or the lab has ended."""
    parser = argparse.ArgumentParser(description="One browser tab that watches a mission.")
    parser.add_argument("--edge", required=True, help="URL of the edge")
    parser.add_argument("--mission", required=True, type=UUID)
    parser.add_argument("--session", required=True, help="the session_id that is sent")
    parser.add_argument("--every", type=float, help="seconds between two connections")
    parser.add_argument("--services", required=True, help="pid:start time of the lab's services")
    asked = parser.parse_args()
    pid, started = asked.services.split(":")
    services = ProcessIdentity(pid=int(pid), started=int(started))
    tab = EventSource(asked.edge, mission=asked.mission, session=asked.session, every_s=asked.every)
    asyncio.run(tab.run(wanted=lambda: services.alive))


if __name__ == "__main__":
    main()
