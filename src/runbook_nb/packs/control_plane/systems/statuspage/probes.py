"""What is read of the published incidents."""

from datetime import timedelta

from runbook_nb.packs.control_plane.impact import measure
from runbook_nb.packs.control_plane.systems.statuspage._published import (
    concerns_customers,
    unresolved,
)
from runbook_nb.probes.calls import Reading, Systems, probe


@probe(unit="missing")
def unpublished(systems: Systems, *, window: timedelta) -> Reading:
    """Return 1 while a SEV1 or SEV2 affects missions and the page shows no incident, else 0."""
    radius = measure(systems.database(), window=window)
    shown = unresolved(systems)
    missing = concerns_customers(radius) and not shown
    detail = {"severity": radius.severity, "on the page": shown}
    return Reading(value=int(missing), detail=detail, impact=radius.impact)
