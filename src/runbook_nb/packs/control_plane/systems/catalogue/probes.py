"""What the live catalogue lacks or has beyond a build."""

from runbook_nb.packs.control_plane.systems.catalogue._builds import (
    SQLSTATES,
    live_catalogue,
    needs_of,
    previous_commit,
    rows_newer_than,
)
from runbook_nb.probes.calls import Reading, Systems, probe


@probe(unit="missing")
def missing(systems: Systems) -> Reading:
    """Count what the agent's previous build names and today's catalogue lacks.

    Each comes with the SQLSTATE that the build would meet. Raises NoAnswerError when no earlier
    build is known, or there is no list of what it needs.
    """
    commit = previous_commit(systems)
    here = live_catalogue(systems)
    lacking = [
        {"needs": f"{kind} {name}", "would fail with": SQLSTATES[kind]}
        for kind, name in sorted(needs_of(commit) - here)
    ]
    return Reading(value=len(lacking), detail={"previous build": commit, "missing": lacking})


@probe(unit="rows")
def newer_rows(systems: Systems) -> Reading:
    """Count the rows that use columns or labels which the agent's previous build does not know.

    Taking that column or label out of the database would lose them.
    """
    found = {place: len(rows) for place, rows in rows_newer_than(systems)}
    return Reading(value=sum(found.values()), detail=found)
