"""What is filed under a foreign tenant."""

from collections import defaultdict
from datetime import timedelta
from typing import Any

from runbook_nb.packs.control_plane.systems._database.exposures import MISFILED
from runbook_nb.probes.calls import Reading, Systems, probe
from runbook_nb.timeline.events import Impact, ImpactFigure


@probe(unit="rows", timeout_s=30)
def foreign(systems: Systems, *, window: timedelta) -> Reading:
    """Count events, calls and streams of the window whose tenant is not their mission's."""
    rows = systems.database().rows(MISFILED, window=window)
    groups: dict[tuple[str, str, str], list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        groups[row["table"], row["owner"], row["filed_under"]].append(row)
    detail = [
        {
            "Table": table,
            "tenant of the mission": owner,
            "filed under": under,
            "rows": len(found),
            "missions": len({row["mission_id"] for row in found}),
            "first": found[0]["at"],
            "last": found[-1]["at"],
        }
        for (table, owner, under), found in sorted(groups.items())
    ]
    figure = ImpactFigure(
        name="Rows under a foreign tenant", value=f"{len(rows):,}", weight=len(rows)
    )
    impact = Impact(severity="SEV1" if rows else "", figures=(figure,))
    return Reading(value=len(rows), detail=detail, impact=impact)
