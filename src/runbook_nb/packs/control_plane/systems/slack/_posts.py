"""The posts of incidents in #incidents."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from runbook_nb.errors import NoAnswerError
from runbook_nb.probes.calls import Systems
from runbook_nb.probes.sight import demand_window

EVENT: Final = "incident_announced"
PATIENCE_S: Final = 8.0
# The newest 200 posts must reach so far back, or an incident that is open may not be among them.
LOOKED_BACK: Final = timedelta(hours=24)


def posts_of(systems: Systems, incident: str) -> list[dict[str, Any]]:
    """Return the posts of one incident, newest first."""
    return [post for post in announcements(systems) if post["incident"] == incident]


def announcements(systems: Systems) -> list[dict[str, Any]]:
    """Return the posts of incidents in #incidents, newest first."""
    answer = systems.http("slack").get(
        "/api/conversations.history",
        params={
            "channel": systems.setting("slack", "incidents_channel"),
            "include_all_metadata": "true",
            "limit": "200",
        },
        timeout_s=PATIENCE_S,
    )
    found = answer.raise_for_status().json()
    if not found["ok"]:
        message = f"Slack refused to show #incidents: {found['error']}."
        raise NoAnswerError(message)
    if found.get("has_more") and found["messages"]:
        oldest = min(float(post["ts"]) for post in found["messages"])
        now = datetime.now(UTC)
        demand_window(
            datetime.fromtimestamp(oldest, tz=UTC),
            since=now - LOOKED_BACK,
            what="post that is shown",
        )
    return [
        {
            **post["metadata"]["event_payload"],
            "text": post["text"],
            "ts": post["ts"],
            "age_s": round(time.time() - float(post["ts"]), 3),
        }
        for post in found["messages"]
        if post.get("metadata", {}).get("event_type") == EVENT
    ]
