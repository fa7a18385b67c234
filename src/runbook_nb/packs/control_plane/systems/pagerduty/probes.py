"""What is read of pages and of who is on call."""

from datetime import timedelta

from runbook_nb.packs.control_plane.impact import measure
from runbook_nb.packs.control_plane.systems.pagerduty._pages import (
    PATIENCE_S,
    pages_of,
)
from runbook_nb.probes.calls import Reading, Systems, probe


@probe(unit="missing")
def unpaged(systems: Systems, *, incident: str, window: timedelta) -> Reading:
    """Return 1 while an incident has a severity and nobody was paged for it, else 0."""
    radius = measure(systems.database(), window=window)
    pages = pages_of(systems, incident)
    missing = radius.severity != "none" and not pages
    detail = {"severity": radius.severity, "pages": pages}
    return Reading(value=int(missing), detail=detail, impact=radius.impact)


@probe(unit="people")
def on_call(systems: Systems) -> Reading:
    """Count the people who are on call now, with their level in the detail."""
    answer = systems.http("pagerduty").get("/oncalls", timeout_s=PATIENCE_S)
    found = answer.raise_for_status().json()["oncalls"]
    people = [
        {"level": one["escalation_level"], "who": one["user"]["summary"], "until": one["end"]}
        for one in found
    ]
    return Reading(value=len(people), detail=people)
