"""What Composio executed: the log of tool calls that a project may search, newest first."""

import json
import time
from collections import deque
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from runbook_nb.packs.control_plane.lab.emulators.composio_errors import error

SEARCH = "/internal/action_execution/logs"
DETAIL = "/internal/action_execution/log/{log}"
_KEPT = 2_000
_PAGE = 20
_LARGEST_PAGE = 100


@dataclass(frozen=True, kw_only=True)
class Execution:
    """One tool call that reached Composio; times are milliseconds since 1970."""

    id: str
    tool: str
    user_id: str
    account: str
    arguments: dict[str, Any]
    answer: dict[str, Any]
    began_ms: float
    ended_ms: float
    worked: bool

    @property
    def toolkit(self) -> str:
        """The toolkit that the tool belongs to."""
        return self.tool.partition("_")[0].lower()

    def as_line(self) -> dict[str, Any]:
        """Return the execution as the search shows it."""
        return {
            "id": self.id,
            "actionKey": self.tool,
            "app": {"name": self.toolkit, "icon": ""},
            "appKey": self.toolkit,
            "connectedAccountId": self.account,
            "createdAt": self.began_ms,
            "entityId": self.user_id,
            "executionTime": self.ended_ms - self.began_ms,
            "minimalResponse": json.dumps(self.answer)[:120],
            "status": "success" if self.worked else "failed",
            "metadata": {},
        }

    def as_json(self) -> dict[str, Any]:
        """Return the execution in full."""
        return {
            "actionId": self.tool,
            "actionLogId": self.id,
            "status": "success" if self.worked else "error",
            "app": {"name": self.toolkit, "icon": "", "uniqueId": self.toolkit},
            "version": "20261001_00",
            "connection": {"id": self.account, "entity": self.user_id},
            "session": {},
            "executionMetadata": {},
            "steps": [],
            "payloadReceived": self.arguments,
            "startTime": self.began_ms,
            "endTime": self.ended_ms,
            "totalDuration": f"{self.ended_ms - self.began_ms:.0f}ms",
            "response": self.answer,
            "error": {} if self.worked else self.answer,
        }


class Executions:
    """The tool calls of a project, whether their answer reached anybody or not."""

    def __init__(self) -> None:
        self._kept: deque[Execution] = deque(maxlen=_KEPT)

    async def keep(self, request: Request, response: Response, *, began_ms: float) -> None:
        """Keep one call with what came of it; one that was refused is not an execution."""
        answer = json.loads(bytes(response.body))
        if "log_id" not in answer:
            return
        body = json.loads(await request.body() or b"{}")
        self._kept.appendleft(
            Execution(
                id=answer["log_id"],
                tool=request.path_params["slug"],
                user_id=body.get("user_id") or "default",
                account=body.get("connected_account_id") or "",
                arguments=body.get("arguments") or {},
                answer=answer,
                began_ms=began_ms,
                ended_ms=now_ms(),
                worked=bool(answer["successful"]),
            )
        )

    async def search(self, request: Request) -> Response:
        """List executions between two moments, a page at a time; the cursor is the next place."""
        try:
            asked = json.loads(await request.body())
            start = int(asked["cursor"] or 0)
            size = max(1, min(int(asked.get("limit", _PAGE)), _LARGEST_PAGE))
            earliest, latest = float(asked.get("from", 0)), float(asked.get("to", "inf"))
        except (ValueError, KeyError, TypeError):
            return error(
                HTTPStatus.BAD_REQUEST,
                "cursor is required; it is null for the first page.",
                fix="Send what an earlier page gave.",
                number=601,
                slug="Validation_Error",
            )
        found = [one for one in self._kept if earliest <= one.began_ms <= latest]
        end = start + size
        data = [one.as_line() for one in found[start:end]]
        return JSONResponse({"data": data, "nextCursor": end if end < len(found) else None})

    async def show(self, request: Request) -> Response:
        """Show one execution with its arguments."""
        wanted = request.path_params["log"]
        found = next((one for one in self._kept if one.id == wanted), None)
        if found is None:
            return error(HTTPStatus.NOT_FOUND, f"Log {wanted} not found", fix="Search the logs.")
        return JSONResponse(found.as_json())


def now_ms() -> float:
    """Return the present as Composio's log counts it."""
    return round(time.time() * 1000)
