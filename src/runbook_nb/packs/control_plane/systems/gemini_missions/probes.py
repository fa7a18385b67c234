"""What is read of missions and their model."""

from datetime import timedelta

from runbook_nb.packs.control_plane.impact import measure
from runbook_nb.packs.control_plane.systems._gemini_models import in_use
from runbook_nb.packs.control_plane.systems.gemini_missions._turns import (
    URGENT,
    held_back_by_tenant,
    largest_mission,
    stopped_missions,
)
from runbook_nb.probes.calls import Reading, Systems, probe


@probe(unit="missions")
def stopped(systems: Systems, *, window: timedelta) -> Reading:
    """Count the missions at work whose newest turn was refused by the model in use.

    What another model refused before the agent left it can be started again, and does not count;
    nor does what was held back for safety.
    """
    models = {*in_use(systems).values()}
    rows = stopped_missions(systems, window=window)
    now = [row for row in rows if row["model"] in models]
    impact = measure(systems.database(), window=window).impact
    detail = {"stopped": now, "to be started again": [row for row in rows if row not in now]}
    return Reading(value=len(now), detail=detail, impact=impact)


@probe(unit="tenants")
def held_back(systems: Systems, *, window: timedelta) -> Reading:
    """Count the tenants whose texts the filter for safety held back.

    One tenant's own words may be held back rightly; several at once are the prompt or the filter.
    """
    rows = held_back_by_tenant(systems, window=window)
    return Reading(value=len(rows), detail=rows)


@probe(unit="%")
def largest_share(systems: Systems, *, window: timedelta) -> Reading:
    """Return the share of the tokens that one mission sent while the minute is tight, in percent.

    While a fifth of the tokens a minute is left, nobody is in the way: 0. An urgent or high mission
    may send what it needs, so it counts as 0 and is named.
    """
    found = largest_mission(systems, window=window)
    crowds = found is not None and found["priority"] not in URGENT
    return Reading(value=found["percent"] if found and crowds else 0.0, detail=found)
