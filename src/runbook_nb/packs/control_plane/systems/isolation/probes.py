"""What a tenant and nobody see of others."""

from collections.abc import Mapping
from typing import Any, Final

from runbook_nb.packs.control_plane.systems._database.known_leaks import KNOWN_LEAKS
from runbook_nb.packs.control_plane.systems.isolation._callers import (
    RELATIONS,
    SINCE,
    UNOWNED,
    found_as,
    tenants_of,
)
from runbook_nb.probes.calls import Reading, Systems, probe
from runbook_nb.probes.connections import Database
from runbook_nb.timeline.events import Impact, ImpactFigure

# One tenant's policy can differ from the next one's, but not for ever more of them.
ASKED: Final = 10


@probe(unit="rows", timeout_s=60)
def foreign_rows(systems: Systems) -> Reading:
    """Count rows of other tenants that a tenant reads, beyond the known leaks.

    Each of the first ten tenants is become in turn and looks for the newest 40 missions of every
    other one, in each table and view. Raises NoAnswerError where a tenant does not even see its
    own missions: then nothing is proven.
    """
    database = systems.database()
    relations, tenants = database.rows(RELATIONS), tenants_of(database)
    found: dict[str, dict[str, Any]] = {}
    for tenant in tenants[:ASKED]:
        others = [one for one in tenants if one is not tenant]
        claims = {"role": "authenticated", "roles": [], "tenant_id": tenant["tenant"]}
        seen = found_as(
            systems.database("viewer"),
            relations,
            role="authenticated",
            claims=claims,
            others=_of(others),
            own=tenant["missions"],
        )
        for name, row in seen.items():
            found.setdefault(name, {})[tenant["tenant"]] = row["rows"]
    return _reading(database, found, asked=len(tenants[:ASKED]))


@probe(unit="rows", timeout_s=60)
def anonymous_rows(systems: Systems) -> Reading:
    """Count rows of any tenant that somebody without a token reads, beyond the known leaks.

    Telemetry without a mission and library entries without a tenant are everybody's by design.
    """
    database = systems.database()
    relations, tenants = database.rows(RELATIONS), tenants_of(database)
    seen = found_as(
        systems.database("viewer"),
        relations,
        role="anon",
        claims={"role": "anon"},
        others=_of(tenants),
    )
    found = {name: {"anon": row["rows"]} for name, row in seen.items()}
    return _reading(database, found, asked=1)


def _of(tenants: list[dict[str, Any]]) -> dict[str, list[str]]:
    return {
        "tenants": [one["tenant"] for one in tenants],
        "missions": [each for one in tenants for each in one["missions"]],
        "entries": [each for one in tenants for each in one["entries"]],
    }


def _reading(database: Database, found: Mapping[str, Mapping[str, int]], *, asked: int) -> Reading:
    since = {
        row["relation"]: row["unchanged_until"]
        for row in database.rows(
            SINCE, relations=[name for name in found if name not in KNOWN_LEAKS]
        )
    }
    detail: list[dict[str, Any]] = [
        {
            "Table or view": name,
            "rows seen": sum(by_caller.values()),
            "callers": f"{len(by_caller)} of {asked}",
            "changed after": since.get(name),
            "verdict": "known leak" if name in KNOWN_LEAKS else "leaks",
        }
        for name, by_caller in found.items()
    ]
    detail.sort(key=lambda row: (row["verdict"] == "known leak", row["Table or view"]))
    leaks = [row for row in detail if row["verdict"] == "leaks"]
    untold = [row["name"] for row in database.rows(UNOWNED)]
    if untold:
        detail.append(
            {"Table or view": ", ".join(untold), "verdict": "names no owner: look by hand"}
        )
    rows = sum(row["rows seen"] for row in leaks)
    figures = (
        ImpactFigure(name="Rows open to others", value=f"{rows:,}", weight=rows),
        ImpactFigure(name="Tables and views that leak", value=f"{len(leaks)}", weight=len(leaks)),
    )
    return Reading(
        value=rows, detail=detail, impact=Impact(severity="SEV1" if rows else "", figures=figures)
    )
