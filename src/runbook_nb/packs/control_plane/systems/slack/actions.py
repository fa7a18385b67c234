"""What is posted in #incidents."""

from datetime import timedelta
from typing import Any, Final

from runbook_nb.errors import ActionError
from runbook_nb.packs.control_plane.impact import BlastRadius, measure
from runbook_nb.packs.control_plane.systems.slack._posts import (
    EVENT,
    PATIENCE_S,
    announcements,
    posts_of,
)
from runbook_nb.probes.calls import Systems, action
from runbook_nb.text.values import Json

CHANNEL: Final = "#incidents"


@action(timeout_s=30, repeatable=True, tells=CHANNEL, contained=True)
def announce(
    systems: Systems, *, incident: str, component: str, runbook: str, window: timedelta
) -> Json:
    """Post severity, blast radius and runbook to #incidents; an incident told before is not."""
    if posts := posts_of(systems, incident):
        return {"told before": posts[0]["ts"]}
    return _post(systems, _announcement(systems, incident, component, runbook, window))


@announce.rehearsal
def _(systems: Systems, *, incident: str, component: str, runbook: str, window: timedelta) -> Json:
    if posts := posts_of(systems, incident):
        return {"told before": posts[0]["ts"]}
    message = _announcement(systems, incident, component, runbook, window)
    return {"would post": message["text"], "channel": message["channel"]}


@announce.undo
def _(
    systems: Systems,
    result: Json,
    *,
    incident: str,  # noqa: ARG001
    component: str,  # noqa: ARG001
    runbook: str,  # noqa: ARG001
    window: timedelta,  # noqa: ARG001
) -> Json:
    if "ts" not in result:
        return {"left": result}
    _call(systems, "chat.delete", {"channel": result["channel"], "ts": result["ts"]})
    return {"deleted": result["ts"]}


@action(timeout_s=30, repeatable=True, tells=CHANNEL, contained=True)
def resolved(systems: Systems, *, after: timedelta) -> Json:
    """Post that they are over for incidents in #incidents whose last post is older than this."""
    return [_post(systems, _farewell(systems, post)) for post in _left_open(systems, after)]


@resolved.rehearsal
def _(systems: Systems, *, after: timedelta) -> Json:
    return {"would post": [_farewell(systems, post)["text"] for post in _left_open(systems, after)]}


@resolved.undo
def _(systems: Systems, result: Json, *, after: timedelta) -> Json:  # noqa: ARG001
    for post in result:
        _call(systems, "chat.delete", {"channel": post["channel"], "ts": post["ts"]})
    return {"deleted": [post["ts"] for post in result]}


@action(timeout_s=30, repeatable=True, tells=CHANNEL, contained=True)
def closed(systems: Systems, *, incident: str, text: str) -> Json:
    """Post that an incident is closed, with the head of its record; a channel is a witness."""
    return _post(systems, _message(systems, incident, "resolved", text))


@closed.rehearsal
def _(systems: Systems, *, incident: str, text: str) -> Json:
    message = _message(systems, incident, "resolved", text)
    return {"would post": message["text"], "channel": message["channel"]}


def _announcement(
    systems: Systems, incident: str, component: str, runbook: str, window: timedelta
) -> dict[str, Any]:
    radius = measure(systems.database(), window=window)
    text = (
        f"*{_declared(radius)} · {incident}* · {component}: {radius.said}. "
        f"Continue with `runbook run {runbook} --incident {incident}`. Next update in 15 min."
    )
    return _message(systems, incident, "open", text)


def _farewell(systems: Systems, post: dict[str, Any]) -> dict[str, Any]:
    text = f"*{post['incident']} is over.* The platform was read again and is well."
    return _message(systems, post["incident"], "resolved", text)


def _declared(radius: BlastRadius) -> str:
    # Who declares an incident of which nothing is measured yet has seen it: the lowest level.
    return "SEV3" if radius.severity == "none" else radius.severity


def _message(systems: Systems, incident: str, state: str, text: str) -> dict[str, Any]:
    return {
        "channel": systems.setting("slack", "incidents_channel"),
        "text": text,
        "metadata": {
            "event_type": EVENT,
            "event_payload": {"incident": incident, "state": state},
        },
    }


def _post(systems: Systems, message: dict[str, Any]) -> dict[str, Any]:
    answer = _call(systems, "chat.postMessage", message)
    return {"channel": answer["channel"], "ts": answer["ts"], "text": message["text"]}


def _left_open(systems: Systems, after: timedelta) -> list[dict[str, Any]]:
    newest: dict[str, dict[str, Any]] = {}
    for post in announcements(systems):
        newest.setdefault(post["incident"], post)
    return [
        post
        for post in newest.values()
        if post["state"] != "resolved" and post["age_s"] >= after.total_seconds()
    ]


def _call(systems: Systems, method: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = systems.http("slack").request(
        "POST", f"/api/{method}", json=body, timeout_s=PATIENCE_S
    )
    found: dict[str, Any] = answer.raise_for_status().json()
    if not found["ok"]:
        message = f"Slack refused {method}: {found['error']}."
        raise ActionError(message)
    return found
