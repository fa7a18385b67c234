"""What is read of views."""

from typing import Any

from runbook_nb.packs.control_plane.systems.views._views import (
    KNOWN,
    OPEN,
    standing_of,
)
from runbook_nb.probes.calls import Reading, Systems, probe


@probe(unit="views")
def leaking(systems: Systems) -> Reading:
    """Count open views that nobody committed; the known and the reviewed ones are only listed."""
    rows = [{**_listed(row), "verdict": standing_of(row)} for row in systems.database().rows(OPEN)]
    order = ("leaks", "known leak", "filters by claims")
    rows.sort(key=lambda row: order.index(row["verdict"]))
    return Reading(value=sum(row["verdict"] == "leaks" for row in rows), detail=rows)


@probe(unit="leaks")
def known_leaks(systems: Systems, *, accepted: bool) -> Reading:
    """Count the known leaks that are still open; none while they are ``accepted``."""
    database = systems.database()
    rows = [_listed(row) for row in database.rows(OPEN) if row["view"] in KNOWN]
    personas = "select relrowsecurity from pg_class where oid = to_regclass('public.personas')"
    if not any(row["relrowsecurity"] for row in database.rows(personas)):
        rows.append({"View": "personas", "kind": "table", "open to": "anon, authenticated: writes"})
    return Reading(value=0 if accepted else len(rows), detail=rows)


def _listed(row: dict[str, Any]) -> dict[str, Any]:
    rest = {name: said for name, said in row.items() if name not in ("view", "cure")}
    return {"View": row["view"], **rest}
