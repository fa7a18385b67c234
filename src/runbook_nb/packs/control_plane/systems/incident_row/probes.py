"""What is read of the declared incidents."""

from datetime import timedelta
from typing import Final

from runbook_nb.packs.control_plane.impact import error_percent, error_shares, measure
from runbook_nb.packs.control_plane.systems.incident_row._open_rows import (
    OPEN,
)
from runbook_nb.probes.calls import Reading, Systems, probe

# Escalation times of the platform: a SEV1 after 30 minutes, a SEV2 after an hour.
ESCALATE_AFTER_MIN: Final = {"SEV1": 30, "SEV2": 60}
# Above this share, in percent, the platform calls it a SEV2, whoever is affected.
ERRORS_GO_ON: Final = 2


@probe(unit="missing")
def undeclared(systems: Systems, *, incident: str, window: timedelta) -> Reading:
    """Return 1 while an incident has a severity and no row says that it was opened, else 0."""
    database = systems.database()
    radius = measure(database, window=window)
    rows = database.rows(OPEN)
    known = any(row["incident"] == incident for row in rows)
    missing = radius.severity != "none" and not known
    detail = {"severity": radius.severity, "open": rows}
    return Reading(value=int(missing), detail=detail, impact=radius.impact)


@probe(unit="incidents")
def left_open(systems: Systems, *, window: timedelta) -> Reading:
    """Count incidents that are still declared open while nothing is affected and errors are few."""
    database = systems.database()
    rows = database.rows(OPEN)
    radius = measure(database, window=window)
    errors = error_percent(error_shares(database, window=window))
    over = radius.severity == "none" and errors <= ERRORS_GO_ON
    detail = {"severity": radius.severity, "errors_percent": errors, "open": rows}
    return Reading(value=len(rows) if over else 0, detail=detail, impact=radius.impact)


@probe(unit="incidents")
def past_escalation(systems: Systems) -> Reading:
    """Count open incidents that are older than the time after which the next level is called."""
    late = [
        row
        for row in systems.database().rows(OPEN)
        if row["open_min"] > ESCALATE_AFTER_MIN.get(row["severity"], float("inf"))
    ]
    return Reading(value=len(late), detail=late)


@probe(unit="components")
def duplicates(systems: Systems) -> Reading:
    """Count components for which more than one incident is open."""
    rows = systems.database().rows(OPEN)
    named = [row["component"] for row in rows]
    return Reading(value=len({name for name in named if named.count(name) > 1}), detail=rows)
