"""How tabs that hold an old state are stopped before they save it."""

import uuid
from typing import Any, Final

from runbook_nb.packs.control_plane.systems.workspace_tabs._tabs import BEHIND, DEAF_AFTER_S
from runbook_nb.probes.calls import Systems, action
from runbook_nb.text.values import Json

ROUTE: Final = "/config/apps/http/servers/srv0/routes/0"
# Its streams and its saves; the page itself still loads, and a reload draws a new session.
PATHS: Final = ("/api/stream/*", "/api/copilotkit/*")
CLOSE: Final = """
update workspace_stream_sessions
set disconnected_at = now(), metadata = metadata || '{"ended_by": "runbook"}'
where id = any(%(streams)s::uuid[]) and disconnected_at is null
returning id::text
"""
OPEN_AGAIN: Final = """
update workspace_stream_sessions
set disconnected_at = null, metadata = metadata - 'ended_by'
where id = any(%(streams)s::uuid[])
returning id::text
"""


@action(timeout_s=30, repeatable=True, contained=True)
def close_behind(systems: Systems) -> Json:
    """Refuse the tabs that are behind at the edge, and mark their streams as closed.

    Their next save and their next stream get HTTP 204, after which an event source stops. The route
    stands before all others and can be taken out by its id.
    """
    rows = systems.database().rows(BEHIND, deaf_after_s=DEAF_AFTER_S)
    if not rows:
        return {"tabs": [], "route": None, "streams closed": []}
    route = _route(sorted({row["tab"] for row in rows}))
    edge = systems.http("edge.admin")
    if edge.get(f"/id/{route['@id']}").is_error:
        edge.request("PUT", ROUTE, json=route).raise_for_status()
    with systems.database().transaction():
        closed = systems.database().rows(CLOSE, streams=[row["stream"] for row in rows])
    return {"tabs": rows, "route": route["@id"], "streams closed": [row["id"] for row in closed]}


@close_behind.rehearsal
def _(systems: Systems) -> Json:
    rows = systems.database().rows(BEHIND, deaf_after_s=DEAF_AFTER_S)
    return {"tabs": rows, "would add": _route(sorted({row["tab"] for row in rows}))}


@close_behind.undo
def _(systems: Systems, result: Json) -> Json:
    if result["route"]:
        systems.http("edge.admin").request("DELETE", f"/id/{result['route']}").raise_for_status()
    with systems.database().transaction():
        rows = systems.database().rows(OPEN_AGAIN, streams=result["streams closed"])
    return {"streams open again": [row["id"] for row in rows]}


def _route(tabs: list[str]) -> dict[str, Any]:
    name = uuid.uuid5(uuid.NAMESPACE_URL, " ".join(tabs)).hex[:12]
    return {
        "@id": f"stale-tabs-{name}",
        "match": [{"path": list(PATHS), "query": {"session_id": tabs}}],
        "handle": [{"handler": "static_response", "status_code": 204}],
    }
