"""Composio's HTTP API, as the agent uses it."""

import http.client
import json
import time
from dataclasses import dataclass, field, replace
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import uuid4

_CALL_TIMEOUT_S = 60.0
_OK = 200
_GONE = 410
_TOO_MANY = 429
# An answer that a gateway made up says nothing of what was done behind it.
_DOUBTFUL: Final = frozenset({500, 502, 504})


@dataclass(frozen=True, kw_only=True)
class ToolCall:
    """One step of a play: the tool's slug, what it is called with, and for whom."""

    tool: str
    arguments: dict[str, object] = field(default_factory=dict)
    user_id: str = ""
    id: str = field(default_factory=lambda: uuid4().hex)

    @classmethod
    def of(cls, step: dict[str, Any]) -> "ToolCall":
        """Read a step of a run; one that waited keeps its id."""
        return cls(
            tool=step["tool"],
            arguments=step.get("arguments", {}),
            user_id=step.get("user_id", ""),
            id=step.get("action_id") or uuid4().hex,
        )

    @property
    def toolkit(self) -> str:
        """The toolkit a tool belongs to: the first word of its slug."""
        return self.tool.partition("_")[0].lower()


@dataclass(frozen=True, kw_only=True)
class Called:
    """What became of a tool call; ``error_code`` is None when it succeeded.

    ``log_id`` is Composio's name for it. With ``answer_lost`` it may have been carried out all the
    same. ``http_status`` is 0 without an answer; ``retry_after_s`` is how long whoever throttles
    asked to wait. ``answer`` is what the tool gave.
    """

    duration_ms: int = 0
    error_code: str | None = None
    http_status: int = 0
    answer_lost: bool = False
    retry_after_s: int | None = None
    log_id: str | None = None
    retries: int = 0
    answer: dict[str, Any] = field(default_factory=dict)

    @property
    def outcome(self) -> str:
        """The word the platform keeps for it."""
        limits = {"RATE_LIMIT": "rate_limit", "AUTH_EXPIRED": "auth_expired", None: "success"}
        return limits.get(self.error_code, "error")


class ComposioClient:
    """Executes tools with one key; a call that is throttled is tried ``attempts`` times at once."""

    def __init__(self, *, url: str, key: str, attempts: int = 1) -> None:
        address = urlsplit(url)
        self._attempts = attempts
        self._address, self._secured, self._key = address.netloc, address.scheme == "https", key

    def execute(self, call: ToolCall) -> Called:
        """Execute a tool and wait for its answer, up to 60 s."""
        began = time.monotonic()
        called, retries = self._called(call), 0
        while called.error_code == "RATE_LIMIT" and retries < self._attempts - 1:
            called, retries = self._called(call), retries + 1
        duration_ms = round((time.monotonic() - began) * 1000)
        return replace(called, duration_ms=duration_ms, retries=retries)

    def _called(self, call: ToolCall) -> Called:
        kind = http.client.HTTPSConnection if self._secured else http.client.HTTPConnection
        connection = kind(self._address, timeout=_CALL_TIMEOUT_S)
        body = {"arguments": call.arguments, **({"user_id": call.user_id} if call.user_id else {})}
        sent = False
        try:
            connection.connect()
            sent = True
            connection.request(
                "POST",
                f"/api/v3.1/tools/execute/{call.tool}",
                body=json.dumps(body),
                headers={"content-type": "application/json", "x-api-key": self._key},
            )
            answer = connection.getresponse()
            return _judged(answer, answer.read())
        except (OSError, http.client.HTTPException, ValueError) as error:
            return Called(error_code=type(error).__name__, answer_lost=sent)
        finally:
            connection.close()


def _judged(answer: http.client.HTTPResponse, body: bytes) -> Called:
    """Name what came back in the platform's words."""
    status, wait = answer.status, answer.getheader("retry-after") or ""
    after_s = int(wait) if wait.isdigit() else None
    if status == _TOO_MANY:
        return Called(error_code="RATE_LIMIT", http_status=status, retry_after_s=after_s)
    if status == _GONE:
        return Called(error_code="AUTH_EXPIRED", http_status=status)
    if status != _OK:
        doubtful = status in _DOUBTFUL
        return Called(error_code=f"HTTP_{status}", http_status=status, answer_lost=doubtful)
    said = json.loads(body)
    log_id = said.get("log_id")
    if said["successful"]:
        return Called(http_status=status, log_id=log_id, answer=said.get("data") or {})
    # A provider's limit comes inside HTTP 200.
    told = said.get("data") or {}
    if told.get("http_status") == _TOO_MANY:
        wait_s = told.get("retry_after")
        return Called(
            error_code="RATE_LIMIT", http_status=status, retry_after_s=wait_s, log_id=log_id
        )
    return Called(error_code="TOOL_FAILED", http_status=status, log_id=log_id)
