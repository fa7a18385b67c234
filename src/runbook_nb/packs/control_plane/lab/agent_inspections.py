"""Inspections: the data behind a mission's toolkits is read page by page, and the result written.

An inspection only reads at its toolkit, with the one tool that lists. So many read at a time as
there are workers; each may read for ``limit_s`` seconds. What waits and what is read is shown under
``/inspection``, and gone when the process ends.
"""

import asyncio
import json
import logging
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

import psycopg
from psycopg.types.json import Jsonb
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from runbook_nb.packs.control_plane.lab.agent_composio import Called, ComposioClient, ToolCall
from runbook_nb.packs.control_plane.lab.agent_database import AgentDatabase, DatabaseAwayError
from runbook_nb.packs.control_plane.lab.agent_inspection_rows import (
    BEGIN,
    FINISH,
    RECORD_PAGE,
    SAVE,
    Inspection,
    Phase,
)
from runbook_nb.packs.control_plane.lab.seed.vocabulary import THEMES

_PAGE_ROWS: Final = 100
_TIMEOUT: Final = "INSPECTION_TIMEOUT"
# The first action of a toolkit lists what it holds, and changes nothing.
_LISTING: Final = {
    toolkit.slug: toolkit.actions[0] for theme in THEMES for toolkit in theme.toolkits
}

_log = logging.getLogger(__name__)


class Inspections:
    """The inspections that one machine of the agent has taken on."""

    def __init__(
        self,
        database: AgentDatabase,
        composio: ComposioClient,
        *,
        machine: str,
        workers: int,
        limit_s: float,
    ) -> None:
        self._database = database
        self._composio = composio
        self._machine = machine
        self._workers, self._limit_s = workers, limit_s
        self._places = asyncio.Semaphore(workers)
        self._live: dict[str, tuple[Inspection, asyncio.Task[None]]] = {}

    def routes(self) -> list[Route]:
        """Make the routes that show what is inspected, ask for more, and end one."""
        return [
            Route("/inspection", self._show),
            Route("/inspection/run", self._ask, methods=["POST"]),
            Route("/inspection/{inspection}", self._end, methods=["DELETE"]),
        ]

    async def _show(self, _request: Request) -> Response:
        return JSONResponse(
            {
                "machine": self._machine,
                "workers": self._workers,
                "limit_s": self._limit_s,
                "inspections": [one.as_json() for one, _task in self._live.values()],
            }
        )

    async def _ask(self, request: Request) -> Response:
        """Take on an inspection of each toolkit that is named, or of all that the mission chose."""
        try:
            body = json.loads(await request.body())
            mission, wanted = UUID(body["mission_id"]), body.get("toolkits")
        except (ValueError, KeyError, TypeError, AttributeError):
            return JSONResponse({"detail": "mission_id is a UUID, toolkits a list."}, 422)
        try:
            rows = await self._database.rows(BEGIN, {"mission": mission, "toolkits": wanted})
        except (DatabaseAwayError, psycopg.Error) as error:
            return JSONResponse({"detail": str(error)}, 503)
        taken = [self._take_on(Inspection(**row)) for row in rows]
        return JSONResponse({"inspections": [one.as_json() for one in taken]}, 202)

    async def _end(self, request: Request) -> Response:
        found = self._live.pop(request.path_params["inspection"], None)
        if found is None:
            return JSONResponse({"detail": "No such inspection is under way."}, 404)
        inspection, task = found
        task.cancel()
        await self._finish(inspection)
        return JSONResponse({"ended": inspection.as_json()})

    def _take_on(self, inspection: Inspection) -> Inspection:
        task = asyncio.create_task(self._inspect(inspection))
        self._live[inspection.id] = inspection, task
        task.add_done_callback(lambda _task: self._live.pop(inspection.id, None))
        return inspection

    async def _inspect(self, inspection: Inspection) -> None:
        async with self._places:
            inspection.enter(Phase.READING)
            try:
                async with asyncio.timeout(self._limit_s):
                    problem = await self._read(inspection)
            except TimeoutError:
                problem = _TIMEOUT
            inspection.enter(Phase.SAVING)
            await self._save(inspection, problem)

    async def _read(self, inspection: Inspection) -> str | None:
        """Read pages until there are no more or the sample is full; return the error code."""
        page: int | None = 0
        while page is not None and inspection.rows_read < inspection.rows_wanted:
            call = ToolCall(
                tool=_LISTING[inspection.toolkit],
                arguments={"limit": _PAGE_ROWS, "page": page},
                user_id=inspection.tenant_id,
            )
            # In a thread: an inspection may take long, and the missions' beats go on.
            called = await asyncio.to_thread(self._composio.execute, call)
            inspection.rows_read += int(called.answer.get("rows", 0))
            await self._record(inspection, call, called)
            if called.error_code is not None:
                return called.error_code
            page = called.answer.get("next_page")
        return None

    async def _record(self, inspection: Inspection, call: ToolCall, called: Called) -> None:
        outcome = {
            "inspection_id": inspection.id,
            "successful": called.error_code is None,
            "http_status": called.http_status,
            "log_id": called.log_id,
        }
        await self._write(
            RECORD_PAGE,
            mission=inspection.mission_id,
            toolkit=inspection.toolkit,
            action=call.tool,
            status=called.outcome,
            outcome=Jsonb(outcome),
            latency_ms=called.duration_ms,
            error_code=called.error_code,
            retries=called.retries,
        )

    async def _save(self, inspection: Inspection, problem: str | None) -> None:
        about = {**inspection.as_json(), "inspection_id": inspection.id, "error": problem}
        saved = await self._write(
            SAVE,
            mission=inspection.mission_id,
            toolkit=inspection.toolkit,
            coverage=0 if problem else 100,
            rows=inspection.rows_read,
            outcome="fail" if problem else "pass",
            level="warning" if problem else "success",
            details=Jsonb(about),
        )
        if saved:
            await self._finish(inspection)

    async def _finish(self, inspection: Inspection) -> None:
        """End the mission's stage where this was the last of its inspections."""
        others = [
            one
            for one, _task in self._live.values()
            if one.mission_id == inspection.mission_id and one.id != inspection.id
        ]
        if not others:
            await self._write(FINISH, mission=inspection.mission_id, at=datetime.now(UTC))

    async def _write(self, statement: Any, **parameters: object) -> bool:
        """Run a statement; tell whether the database took it."""
        try:
            await self._database.rows(statement, parameters)
        except (DatabaseAwayError, psycopg.Error) as error:
            _log.warning("An inspection could not be written down: %s", error)
            return False
        return True
