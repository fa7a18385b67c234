"""What is private in the rows."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

from runbook_nb.errors import NoAnswerError
from runbook_nb.packs.control_plane.systems._database.private_rows import (
    PrivatePlace,
    private_places,
)
from runbook_nb.probes.calls import Reading, Systems, probe
from runbook_nb.probes.connections import Database
from runbook_nb.timeline.events import Impact, ImpactFigure

LOOKED_AT: Final = {
    "telemetry_events": """
        select count(*) from telemetry_events
        where created_at > now() - %(window)s and event_type <> 'session_heartbeat'
        """,
    "mission_evidence": (
        "select count(*) from mission_evidence where created_at > now() - %(window)s"
    ),
    "mission_feedback": (
        "select count(*) from mission_feedback where submitted_at > now() - %(window)s"
    ),
}


@probe(unit="rows", timeout_s=60)
def in_events(systems: Systems, *, window: timedelta) -> Reading:
    """Count telemetry rows of the window that hold a secret or personal data.

    Raises NoAnswerError when no event was stored in the window.
    """
    return _reading(systems.database(), ("telemetry_events",), window)


@probe(unit="rows", timeout_s=60)
def in_evidence(systems: Systems, *, window: timedelta) -> Reading:
    """Count evidence and feedback rows of the window that hold a secret or personal data.

    Raises NoAnswerError when there is neither in the window.
    """
    return _reading(systems.database(), ("mission_evidence", "mission_feedback"), window)


def _reading(database: Database, tables: Sequence[str], window: timedelta) -> Reading:
    looked_at = {table: database.value(LOOKED_AT[table], window=window) for table in tables}
    if not any(looked_at.values()):
        message = f"There is no row in {' or '.join(tables)} within the window."
        raise NoAnswerError(message)
    places = private_places(database, tables, window=window)
    rows = len({(place.table, place.id) for place in places})
    tenants = len({place.tenant for place in places if place.tenant})
    figures = (
        ImpactFigure(name="Rows with secrets or personal data", value=f"{rows:,}", weight=rows),
        ImpactFigure(name="Tenants concerned", value=f"{tenants}", weight=tenants),
    )
    return Reading(
        value=rows,
        detail=[*_grouped(places), {"Where": "rows looked at", **looked_at}],
        impact=Impact(severity="SEV1" if rows else "", figures=figures),
    )


def _grouped(places: Sequence[PrivatePlace]) -> list[dict[str, Any]]:
    groups: dict[tuple[str, str], list[PrivatePlace]] = {}
    for place in places:
        for kind in sorted({span.kind for span in place.spans}):
            groups.setdefault((place.where, kind), []).append(place)
    return [
        {
            "Where": where,
            "kind": kind,
            "rows": len({place.id for place in found}),
            "missions": len({place.mission for place in found}),
            "tenants": len({place.tenant for place in found}),
            "first": min(place.at for place in found),
            "last": max(place.at for place in found),
        }
        for (where, kind), found in sorted(groups.items())
    ]
