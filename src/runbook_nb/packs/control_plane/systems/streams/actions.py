"""How tabs that connect again and again are stopped."""

import uuid
from datetime import timedelta
from typing import Any

from runbook_nb.packs.control_plane.systems.streams._opens import (
    LEAST_OPENS,
    OPENS,
    STREAM_PATH,
)
from runbook_nb.probes.calls import Systems, action
from runbook_nb.text.values import Json


@action(timeout_s=30, repeatable=True, contained=True)
def stop_reconnects(systems: Systems, *, above: float, window: timedelta) -> Json:
    """Answer sessions that reconnect more than ``above`` times a minute with HTTP 204.

    An event source that gets 204 stops reconnecting; the route stands before all others at the
    edge and can be taken out by its id.
    """
    sessions = _storming(systems, above, window)
    route = _route(sessions)
    path = "/config/apps/http/servers/srv0/routes/0"
    systems.http("edge.admin").request("PUT", path, json=route).raise_for_status()
    return {"sessions": sessions, "route": route["@id"]}


@stop_reconnects.rehearsal
def _(systems: Systems, *, above: float, window: timedelta) -> Json:
    sessions = _storming(systems, above, window)
    routes = systems.http("edge.admin").get("/config/apps/http/servers/srv0/routes").json()
    return {"sessions to stop": sessions, "routes now": len(routes), "would add": _route(sessions)}


@stop_reconnects.undo
def _(systems: Systems, result: Json, *, above: float, window: timedelta) -> Json:  # noqa: ARG001
    systems.http("edge.admin").request("DELETE", f"/id/{result['route']}").raise_for_status()
    return {"removed": result["route"]}


def _storming(systems: Systems, above: float, window: timedelta) -> list[str]:
    rows = systems.database().rows(OPENS, window=window, least=LEAST_OPENS)
    return [row["session_id"] for row in rows if row["opens_per_minute"] > above]


def _route(sessions: list[str]) -> dict[str, Any]:
    name = uuid.uuid5(uuid.NAMESPACE_URL, " ".join(sessions)).hex[:12]
    return {
        "@id": f"stop-reconnects-{name}",
        "match": [{"path": [f"{STREAM_PATH}*"], "query": {"session_id": sessions}}],
        "handle": [{"handler": "static_response", "status_code": 204}],
    }
