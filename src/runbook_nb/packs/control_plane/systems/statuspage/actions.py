"""What is published to customers."""

from datetime import timedelta
from typing import Any, Final

from runbook_nb.packs.control_plane.impact import measure
from runbook_nb.packs.control_plane.systems.statuspage._published import (
    PATIENCE_S,
    concerns_customers,
    unresolved,
)
from runbook_nb.probes.calls import Systems, action
from runbook_nb.text.values import Json

NAME: Final = "Missions are slow or interrupted"
BODY: Final = "Some missions do not make progress. We are looking into it."
OVER: Final = "Missions make progress again. We keep watching."


@action(timeout_s=30, repeatable=True, tells="status page", contained=True)
def publish_quietly(systems: Systems, *, window: timedelta) -> Json:
    """Put an incident on the page that mails nobody, for SEV1 and SEV2; one at a time."""
    if reason := _needless(systems, window):
        return {"not published": reason}
    answer = _send(systems, "POST", "", {"incident": _incident()})
    return {"id": answer["id"], "name": answer["name"]}


@publish_quietly.rehearsal
def _(systems: Systems, *, window: timedelta) -> Json:
    if reason := _needless(systems, window):
        return {"not published": reason}
    return {"would publish": _incident()}


@publish_quietly.undo
def _(systems: Systems, result: Json, *, window: timedelta) -> Json:  # noqa: ARG001
    if "id" not in result:
        return {"left": result}
    _send(systems, "DELETE", f"/{result['id']}")
    return {"deleted": result["id"]}


@action(timeout_s=30, repeatable=True, tells="status page", contained=True)
def resolve(systems: Systems) -> Json:
    """Set the page's open incident of ours to resolved; nobody is mailed."""
    shown = _ours(systems)
    for one in shown:
        _set(systems, one["id"], status="resolved", body=OVER)
    return {"resolved": shown}


@resolve.rehearsal
def _(systems: Systems) -> Json:
    return {"would resolve": _ours(systems)}


@resolve.undo
def _(systems: Systems, result: Json) -> Json:
    for one in result["resolved"]:
        _set(systems, one["id"], status=one["status"], body=BODY)
    return {"open again": result["resolved"]}


def _needless(systems: Systems, window: timedelta) -> str:
    """Say why nothing is to be published; empty when it is."""
    if shown := unresolved(systems):
        return f"The page shows {shown[0]['name']!r} already."
    radius = measure(systems.database(), window=window)
    if concerns_customers(radius):
        return ""
    return f"{radius.severity}, {radius.said}: nothing for the status page."


def _incident() -> dict[str, Any]:
    return {"name": NAME, "status": "investigating", "body": BODY, "deliver_notifications": False}


def _ours(systems: Systems) -> list[dict[str, Any]]:
    return [one for one in unresolved(systems) if one["name"] == NAME]


def _set(systems: Systems, incident: str, *, status: str, body: str) -> None:
    wanted = {"status": status, "body": body, "deliver_notifications": False}
    _send(systems, "PATCH", f"/{incident}", {"incident": wanted})


def _send(systems: Systems, method: str, path: str, body: object = None) -> Any:
    whole = f"/v1/pages/{systems.setting('statuspage', 'page')}/incidents{path}"
    answer = systems.http("statuspage").request(method, whole, json=body, timeout_s=PATIENCE_S)
    return answer.raise_for_status().json()
