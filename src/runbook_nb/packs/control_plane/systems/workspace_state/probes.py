"""What is read of the states of workspaces."""

from runbook_nb.packs.control_plane.systems.workspace_state._states import (
    differing,
    is_foreign,
    is_lost,
    is_rolled_back,
    large_keys,
    shown,
    states,
)
from runbook_nb.probes.calls import Reading, Systems, probe
from runbook_nb.timeline.events import Impact, ImpactFigure


@probe(unit="sessions")
def lost(systems: Systems) -> Reading:
    """Count sessions at work whose state lacks its mission, stage or brief: an empty chat."""
    rows = states(systems)
    found = [row for row in rows if is_lost(row)]
    impact = Impact(
        severity="SEV3" if found else "",
        figures=(
            ImpactFigure(
                name="Workspaces without state",
                value=f"{len(found)} of {len(rows)}",
                weight=len(found),
            ),
        ),
    )
    detail = [shown(row, **{"keys left": sorted(row["state"])}) for row in found]
    return Reading(value=len(found), detail=detail, impact=impact)


@probe(unit="sessions")
def behind(systems: Systems) -> Reading:
    """Count sessions at work whose state says something else than the tables; it names the keys.

    What a table was told within the last minute is not judged.
    """
    found = [(row, keys) for row in states(systems) if (keys := differing(row))]
    detail = [shown(row, **{"differs in": keys}) for row, keys in found]
    return Reading(value=len(found), detail=detail)


@probe(unit="sessions")
def rolled_back(systems: Systems) -> Reading:
    """Count sessions whose stored revision is older than one that an open tab has seen."""
    found = [row for row in states(systems) if is_rolled_back(row)]
    detail = [shown(row, **{"a tab has seen": row["newest_tab"]}) for row in found]
    return Reading(value=len(found), detail=detail)


@probe(unit="sessions")
def foreign(systems: Systems) -> Reading:
    """Count sessions at work whose state names another mission or tenant than their row."""
    found = [row for row in states(systems) if is_foreign(row)]
    return Reading(value=len(found), detail=[shown(row) for row in found])


@probe(unit="KB")
def largest(systems: Systems) -> Reading:
    """Return the size of the largest state at work in KB; the stream's payload holds 10 KB."""
    rows = sorted(states(systems), key=lambda row: row["bytes"], reverse=True)
    detail = [
        shown(row, **{"bytes": row["bytes"], "keys no agent knows": large_keys(row)})
        for row in rows[:5]
    ]
    return Reading(value=round(rows[0]["bytes"] / 1000, 1), detail=detail)
