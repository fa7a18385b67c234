"""The streams of the ui: the agent's records relayed, and beats of the proxy itself."""

import asyncio
import json
import math
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from uuid import UUID, uuid4

import httpx

from runbook_nb.packs.control_plane.lab.ui_telemetry import StreamTelemetry, Viewed

_TOKEN = "service-role-of-the-ui"  # noqa: S105 - the agent takes any token of ten characters
_BEHIND = 100
_CONNECT_TIMEOUT_S = 5.0
_SAMPLES = 10
_CLAMP_MS = 5000
_RELAYED = frozenset(
    {
        *("execution_started", "execution_step_completed", "composio_tool_call"),
        *("validator_alert_raised", "execution_complete"),
    }
)

Payload = Mapping[str, object]

_ENDED: Payload = {"message": "the stream ended"}


@dataclass(frozen=True, kw_only=True)
class StreamEvent:
    """One server-sent event; ``last`` when the stream ends with it."""

    name: str
    payload: Payload
    last: bool = False

    def frame(self) -> str:
        """Return the event as it goes over the wire; the platform sends no id and no retry."""
        return f"event: {self.name}\ndata: {json.dumps(self.payload)}\n\n"


class AgentClient:
    """Reads the agent's streams: JSON objects, one a line."""

    def __init__(self, *, url: str, interval_s: float) -> None:
        # No read timeout, as on the platform: an agent that hangs is never noticed here.
        self._client = httpx.AsyncClient(
            base_url=url,
            headers={"authorization": f"Bearer {_TOKEN}"},
            timeout=httpx.Timeout(None, connect=_CONNECT_TIMEOUT_S),
            limits=httpx.Limits(max_connections=None),
            trust_env=False,
        )
        self._retry_s = interval_s

    async def watch(self, mission: UUID, tell: Callable[[StreamEvent], None]) -> None:
        """Tell what happens in a mission for ever; a lost agent is told once and tried again."""
        request = self._client.build_request(
            "GET", "/execution/events", params={"mission_id": str(mission)}
        )
        told: Payload = {}
        while True:
            problem = await self._relay(request, tell)
            if problem["message"] != told.get("message"):
                tell(_error(problem))
                told = problem
            await asyncio.sleep(self._retry_s)

    async def run(self, body: Payload, tell: Callable[[StreamEvent], None]) -> None:
        """Have a play run and tell what happens until its stream ends, however it ends."""
        request = self._client.build_request("POST", "/execution/run", json=dict(body))
        problem = await self._relay(request, tell)
        if problem["message"] != _ENDED["message"]:
            tell(_error(problem))
        # Sent at the end of the stream even if the agent sent one before, or failed.
        ended = {"mission_id": body["mission_id"], "play_id": body["play_id"]}
        tell(StreamEvent(name="execution_complete", payload=ended, last=True))

    async def _relay(self, request: httpx.Request, tell: Callable[[StreamEvent], None]) -> Payload:
        """Tell each record of one stream; return what ended it."""
        try:
            answer = await self._client.send(request, stream=True)
        except httpx.TransportError:
            return {"message": "unable to reach execution service"}
        try:
            if answer.status_code != HTTPStatus.OK:
                return {
                    "message": "service returned an error",
                    "backend_status": answer.status_code,
                    "backend_response": (await answer.aread()).decode(errors="replace"),
                }
            async for line in answer.aiter_lines():
                tell(_relayed(line))
        except httpx.TransportError:
            return {"message": "terminated unexpectedly"}
        finally:
            await answer.aclose()
        return _ENDED


class Stream:
    """What one browser is sent: the agent's records, and beats of the proxy itself."""

    def __init__(self, viewed: Viewed, telemetry: StreamTelemetry, *, interval_s: float) -> None:
        self._viewed = viewed
        self._telemetry = telemetry
        self._interval_s = interval_s
        self._events: asyncio.Queue[StreamEvent] = asyncio.Queue(_BEHIND)
        self._lags_ms: list[float] = []

    def tell(self, event: StreamEvent) -> None:
        """Send an event; a browser that is far behind misses it."""
        self._measure(event)
        if event.last and self._events.full():
            self._events.get_nowait()
        with suppress(asyncio.QueueFull):
            self._events.put_nowait(event)

    async def frames(self, agent: "asyncio.Task[None]") -> AsyncGenerator[str, None]:
        """Yield the stream until it is complete or the browser leaves, which ends ``agent``."""
        self._telemetry.opened(self._viewed)
        beats = asyncio.create_task(self._beat())
        ended_by = "client"
        try:
            yield StreamEvent(name="execution_started", payload=self._viewed.names).frame()
            while True:
                event = await self._events.get()
                yield event.frame()
                if event.last:
                    ended_by = "execution_complete"
                    return
        finally:
            beats.cancel()
            agent.cancel()
            self._telemetry.closed(self._viewed, ended_by=ended_by)

    async def _beat(self) -> None:
        """Beat by a timer of our own: the beat says that the proxy lives, not that the agent does.

        This is the platform's trap, kept on purpose.
        """
        due = time.monotonic()
        while True:
            due += self._interval_s
            await asyncio.sleep(due - time.monotonic())
            self.tell(StreamEvent(name="session_heartbeat", payload=self._viewed.names))
            self._telemetry.beat(self._viewed)

    def _measure(self, event: StreamEvent) -> None:
        lag_ms = event.payload.get("lag_ms")
        if not isinstance(lag_ms, int | float) or len(self._lags_ms) == _SAMPLES:
            return
        self._lags_ms.append(lag_ms)
        if len(self._lags_ms) == _SAMPLES:
            self._telemetry.metrics(self._viewed, heartbeat_metrics(self._lags_ms))


def heartbeat_metrics(lags_ms: list[float]) -> dict[str, object]:
    """Summarise lags in milliseconds as the platform does: p50 and p95 never exceed 5000."""
    ordered = sorted(lags_ms)

    def percentile(share: float) -> float:
        return ordered[min(len(ordered) - 1, math.ceil(share * len(ordered)) - 1)]

    return {
        "p50_ms": min(percentile(0.50), _CLAMP_MS),
        "p95_ms": min(percentile(0.95), _CLAMP_MS),
        "p99_ms": percentile(0.99),
        "sample_size": len(ordered),
    }


def _relayed(line: str) -> StreamEvent:
    try:
        record = json.loads(line)
    except ValueError:
        return _error({"message": "invalid stream payload"})
    kind = record.get("type")
    return StreamEvent(name=kind if kind in _RELAYED else "message", payload=record)


def _error(problem: Payload) -> StreamEvent:
    nothing = {"backend_status": None, "backend_response": None}
    return StreamEvent(name="error", payload={"incident_id": str(uuid4()), **nothing, **problem})
