"""Composio's own log of what it executed: the only witness of a call whose answer was lost."""

import json
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from runbook_nb.errors import NoAnswerError
from runbook_nb.packs.control_plane.systems._composio import API
from runbook_nb.probes.calls import Systems
from runbook_nb.probes.connections import Database

SEARCH: Final = f"{API}/internal/action_execution/logs"
DETAIL: Final = f"{API}/internal/action_execution/log"
_PAGE: Final = 100
_MOST_PAGES: Final = 20
# A tool that only reads may be called again; its slug's second word says so.
_READING: Final = frozenset(
    {"LIST", "FETCH", "FIND", "GET", "SEARCH", "QUERY", "READ", "COUNT", "EXPORT", "SHOW"}
)

# Each row of a call keeps the name that Composio's log has for it.
RECORDED: Final = """
select outcome ->> 'log_id' as log_id
from composio_audit_events
where outcome ->> 'log_id' = any(%(logs)s::text[])
"""

Key = tuple[str, str, str]


def changes(tool: str) -> bool:
    """Tell whether a tool changes what it is called on; one that is not known to read does."""
    return not _READING & {*tool.split("_")[1:2]}


def key_of(tool: str, user_id: str | None, arguments: Mapping[str, Any] | None) -> Key:
    """Return what makes two calls the same call."""
    said = json.dumps(arguments or {}, sort_keys=True, separators=(",", ":"))
    return tool, user_id or "default", said


def executed(systems: Systems, *, since: datetime) -> list[dict[str, Any]]:
    """Return the executions that succeeded since then, newest first; all pages are read.

    Raises NoAnswerError where the log cannot be read to its end.
    """
    found: list[dict[str, Any]] = []
    cursor: float | None = None
    for _page in range(_MOST_PAGES):
        said = _search(systems, since=since, cursor=cursor)
        found += [one for one in said["data"] if one["status"] == "success"]
        cursor = said["nextCursor"]
        if cursor is None:
            return found
    message = f"Composio's log has more than {_MOST_PAGES} pages since {since:%H:%M} UTC."
    raise NoAnswerError(message)


def executed_calls(systems: Systems, *, since: datetime, tools: set[str]) -> dict[Key, list[str]]:
    """Return the ids of all executions of these tools since then, by the call, oldest last."""
    found: defaultdict[Key, list[str]] = defaultdict(list)
    for one in executed(systems, since=since):
        if one["actionKey"] in tools:
            arguments = _arguments(systems, one["id"])
            found[key_of(one["actionKey"], one["entityId"], arguments)].append(one["id"])
    return found


def recorded(database: Database, logs: Sequence[str]) -> set[str]:
    """Return those of the executions that a row of ours knows."""
    return {row["log_id"] for row in database.rows(RECORDED, logs=list(logs))}


def only_reads(path: str, _body: object) -> str:
    """Say why a POST may write; a search of the log does not."""
    return "" if path == SEARCH else "it is no search of the log"


def _search(systems: Systems, *, since: datetime, cursor: float | None) -> dict[str, Any]:
    question = {
        "cursor": cursor,
        "from": since.timestamp() * 1000,
        "to": time.time() * 1000 + 60_000,
        "limit": _PAGE,
    }
    answer = systems.http("composio").ask(SEARCH, json=question, writes=only_reads)
    try:
        said: dict[str, Any] = answer.raise_for_status().json()
        return {"data": said["data"], "nextCursor": said["nextCursor"]}
    except (ValueError, KeyError, TypeError) as error:
        message = "Composio's log did not answer in its own form."
        raise NoAnswerError(message) from error


def _arguments(systems: Systems, log: str) -> dict[str, Any]:
    answer = systems.http("composio").get(f"{DETAIL}/{log}").raise_for_status()
    arguments: dict[str, Any] = answer.json()["payloadReceived"]
    return arguments
