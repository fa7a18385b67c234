"""The ui's part of a Connect Link: where Composio sends the customer back to."""

import logging
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Final
from uuid import uuid4

import httpx
import psycopg
from psycopg.types.json import Jsonb
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from runbook_nb.packs.control_plane.lab.agent_database import AgentDatabase, DatabaseAwayError

PATH: Final = "/api/composio/connect"
_log = logging.getLogger(__name__)

_LINKED = """
SELECT c.id, c.mission_id, m.tenant_id, c.toolkit_slug, c.connect_link_id, c.requested_at,
       c.metadata ->> 'state' AS state
  FROM mission_connections c
  JOIN missions m ON m.id = c.mission_id
 WHERE c.metadata ->> 'connected_account' = %(account)s
   AND c.status = 'initiated'
"""

_SETTLE = """
UPDATE mission_connections
   SET status = %(status)s::connection_status,
       approved_at = CASE WHEN %(status)s = 'approved' THEN now() END,
       granted_scopes = %(scopes)s,
       expires_at = CASE WHEN %(status)s = 'approved' THEN now() + interval '60 days' END
 WHERE id = %(row)s
"""

_TELL = """
INSERT INTO telemetry_events
       (mission_id, tenant_id, agent_name, stage, event_type, status, context)
VALUES (%(mission)s, %(tenant)s, 'inspector', 'Prepare', %(event)s, %(level)s, %(context)s)
"""


class ConnectCallback:
    """Takes customers back from Composio and settles the row of their link.

    As on the platform, a row that the database will not update leaves the customer with an error.
    ``key`` is asked each time: a rotation replaces the key while the ui runs.
    """

    def __init__(self, database: AgentDatabase, *, composio: str, key: Callable[[], str]) -> None:
        self._database, self._key = database, key
        self._composio = httpx.AsyncClient(base_url=composio, timeout=5, trust_env=False)

    async def answer(self, request: Request) -> Response:
        """Answer the browser that comes back."""
        account = request.query_params.get("connected_account_id")
        if not account:
            return _refusal(HTTPStatus.BAD_REQUEST, "invalid_request")
        try:
            return await self._settle(account, request.query_params)
        except (DatabaseAwayError, psycopg.Error, httpx.HTTPError) as error:
            _log.warning("A connection could not be recorded: %s", str(error).splitlines()[0])
            return _refusal(HTTPStatus.INTERNAL_SERVER_ERROR, "not_recorded")

    async def _settle(self, account: str, asked: Any) -> Response:
        rows = await self._database.rows(_LINKED, {"account": account})
        if not rows:
            return _refusal(HTTPStatus.NOT_FOUND, "unknown_link")
        if rows[0]["state"] and rows[0]["state"] != asked.get("state"):
            await self._tell(rows[0], "error_surface_viewed", error_code="state_mismatch")
            return _refusal(HTTPStatus.BAD_REQUEST, "state_mismatch")
        headers = {"x-api-key": self._key()}
        path = f"/api/v3.1/connected_accounts/{account}"
        answer = await self._composio.get(path, headers=headers)
        found = answer.raise_for_status().json()
        approved = found["status"] == "ACTIVE"
        for row in rows:
            await self._record(row, approved=approved, scopes=found["state"]["val"]["scope"])
        return HTMLResponse("<!doctype html><title>Connected</title><script>close()</script>")

    async def _record(self, row: dict[str, Any], *, approved: bool, scopes: list[str]) -> None:
        word = "approved" if approved else "failed"
        settled = {"row": row["id"], "status": word, "scopes": Jsonb(scopes)}
        await self._database.rows(_SETTLE, settled)
        await self._tell(row, "composio_auth_flow", status=word, scopes_requested=scopes)
        if approved:
            await self._tell(row, "toolkit_connected", scopes_granted=scopes)

    async def _tell(self, row: dict[str, Any], event: str, **more: object) -> None:
        context = {
            "mission_id": str(row["mission_id"]),
            "tenantId": str(row["tenant_id"]),
            "stage": "Prepare",
            "toolkit": row["toolkit_slug"],
            "connect_link_id": row["connect_link_id"],
            **more,
        }
        await self._database.rows(
            _TELL,
            {
                "mission": row["mission_id"],
                "tenant": row["tenant_id"],
                "event": event,
                "level": "warning" if event == "error_surface_viewed" else "success",
                "context": Jsonb(context),
            },
        )


def _refusal(code: HTTPStatus, word: str) -> Response:
    return JSONResponse({"code": word, "incident_id": str(uuid4())}, status_code=code)
