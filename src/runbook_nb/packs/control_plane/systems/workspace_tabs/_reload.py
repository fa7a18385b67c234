"""What a reload brings: the AG-UI events that a tab is sent when it connects to its mission."""

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from runbook_nb.errors import NoAnswerError
from runbook_nb.probes.calls import Systems

if TYPE_CHECKING:
    import httpx

CONNECT: Final = "/api/copilotkit/agent/control_plane_coordinator/connect"
MOST: Final = 20
AT_WORK: Final = """
select s.id::text as session, s.mission_id::text as mission, s.state - 'runner' as state
from mission_sessions s
join missions m on m.id = s.mission_id and m.status = 'in_progress'
where s.status = 'active'
order by row_number() over (partition by m.tenant_id order by s.id), s.id
limit %(most)s
"""
AS_STORED: Final = "as stored"


def reload(systems: Systems, row: Mapping[str, Any]) -> str:
    """Connect to a mission as a reloaded tab does; tell in words what came of it.

    Raises NoAnswerError where no runtime of CopilotKit answered.
    """
    answer = systems.http("edge").ask(CONNECT, json={"threadId": row["mission"]}, writes=_writes)
    kind = answer.headers.get("content-type", "").partition(";")[0]
    if answer.status_code == HTTPStatus.NOT_FOUND and kind == "application/json":
        return "session not found"
    if answer.status_code != HTTPStatus.OK or kind != "text/event-stream":
        message = (
            f"HTTP {answer.status_code} ({kind or 'no content type'}) came in place of events."
        )
        raise NoAnswerError(message)
    return _judged(_events(answer), row["state"])


def _writes(path: str, body: object) -> str:
    only = path == CONNECT and isinstance(body, dict) and body.keys() == {"threadId"}
    return "" if only else "only connecting to a thread is known to read"


def _events(answer: "httpx.Response") -> list[dict[str, Any]]:
    """Return the events of a stream that has ended; what is no JSON is no event."""
    found = []
    for line in answer.text.splitlines():
        if line.startswith("data:"):
            try:
                found.append(json.loads(line.removeprefix("data:")))
            except ValueError:
                continue
    return found


def _judged(events: list[dict[str, Any]], stored: Mapping[str, Any]) -> str:
    kinds = [event.get("type") for event in events]
    if "RUN_ERROR" in kinds:
        return "the run failed"
    if "RUN_FINISHED" not in kinds:
        return "the run never ends"
    sent = [event["snapshot"] for event in events if event.get("type") == "STATE_SNAPSHOT"]
    return AS_STORED if sent and sent[-1] == stored else "another state than the stored one"
