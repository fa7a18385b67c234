"""Whether what was sealed is still what was sealed."""

from runbook_nb.packs.control_plane.systems._database.snapshot_files import (
    place_of,
    problem_of,
    snapshot_folders,
)
from runbook_nb.probes.calls import Reading, Systems, probe


@probe(unit="snapshots", timeout_s=60)
def altered(systems: Systems) -> Reading:
    """Count sealed snapshots whose hash or signature no longer fits."""
    rows = [
        {"Snapshot": folder.name, "problem": problem_of(folder) or "none"}
        for folder in snapshot_folders(place_of(systems))
    ]
    return Reading(value=sum(row["problem"] != "none" for row in rows), detail=rows)
