"""What is read of parked missions."""

from datetime import timedelta
from typing import Any, Final

from runbook_nb.packs.control_plane.impact import measure
from runbook_nb.packs.control_plane.systems._composio import ask, told, worked
from runbook_nb.packs.control_plane.systems._parking import parked, running
from runbook_nb.packs.control_plane.systems._partner_calls import FEWEST, UNSENT, pairs
from runbook_nb.probes.calls import Reading, Systems, probe

# Three answers in a row let one mission try: the half-open circuit.
ANSWERS: Final = 3


@probe(unit="missions", timeout_s=15)
def due(systems: Systems) -> Reading:
    """Count the parked missions that could go on, because Composio answers three times in a row.

    While it does not, they are parked rightly and none is due.
    """
    waiting = [
        {name: row[name] for name in ("place", "mission_id", "title", "tenant", "priority")}
        | {"parked at": row["parked_at"], "calls that wait": len(row["waiting"])}
        for row in parked(systems.database())
    ]
    if not waiting:
        return Reading(value=0, detail=[])
    asked: list[dict[str, Any]] = []
    while len(asked) < ANSWERS and (not asked or worked(asked[-1])):
        asked.append(ask(systems))
    due_now = waiting if all(worked(one) for one in asked) else []
    return Reading(value=len(due_now), detail={"parked": waiting, "asked": [*map(told, asked)]})


@probe(unit="missions")
def exposed(systems: Systems, *, window: timedelta) -> Reading:
    """Count the missions at work whose calls fail at Composio: they are not parked, and try on.

    Raises NoAnswerError where some are at work and too few calls are known.
    """
    at_work = {row["mission_id"]: row for row in running(systems.database())}
    if not at_work:
        return Reading(value=0, detail=[])
    failing: dict[str, set[str]] = {}
    for pair in pairs(systems, window=window):
        failed = [*pair.failed(), *pair.failed(UNSENT)]
        for call in failed if len(failed) >= FEWEST else []:
            if call["mission_id"] in at_work:
                failing.setdefault(call["mission_id"], set()).add(pair.toolkit)
    radius = measure(systems.database(), window=window)
    detail = [
        {**at_work[mission], "failing toolkits": sorted(toolkits)}
        for mission, toolkits in sorted(failing.items())
    ]
    return Reading(value=len(failing), detail=detail, impact=radius.impact)
