"""What is read of the posts in #incidents."""

from datetime import timedelta
from typing import Any

from runbook_nb.packs.control_plane.impact import measure
from runbook_nb.packs.control_plane.systems.slack._posts import (
    announcements,
    posts_of,
)
from runbook_nb.probes.calls import Reading, Systems, probe


@probe(unit="missing")
def untold(systems: Systems, *, incident: str, window: timedelta) -> Reading:
    """Return 1 while an incident has a severity and #incidents was not told of it, else 0."""
    radius = measure(systems.database(), window=window)
    posts = posts_of(systems, incident)
    missing = radius.severity != "none" and not posts
    detail = {"severity": radius.severity, "posts": posts}
    return Reading(value=int(missing), detail=detail, impact=radius.impact)


@probe(unit="incidents")
def updates_overdue(systems: Systems, *, after: timedelta) -> Reading:
    """Count incidents in #incidents that are not over and had no post for so long."""
    newest: dict[str, dict[str, Any]] = {}
    for post in announcements(systems):
        newest.setdefault(post["incident"], post)
    late = [
        {"incident": incident, "said": post["text"], "minutes": round(post["age_s"] / 60, 1)}
        for incident, post in newest.items()
        if post["state"] != "resolved" and post["age_s"] >= after.total_seconds()
    ]
    return Reading(value=len(late), detail=late)
