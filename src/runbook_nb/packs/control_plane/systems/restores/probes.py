"""What is read of restores and of the copy that runs."""

from datetime import UTC, datetime
from typing import Any

from runbook_nb.errors import NoAnswerError
from runbook_nb.packs.control_plane.systems._database.backup_files import moment
from runbook_nb.packs.control_plane.systems.restores import _proof as proof
from runbook_nb.packs.control_plane.systems.restores import _server as server
from runbook_nb.packs.control_plane.systems.restores._place import Place
from runbook_nb.packs.control_plane.systems.restores._server import reading
from runbook_nb.probes.calls import Reading, Systems, probe


@probe(unit="d")
def last_proven(systems: Systems) -> Reading:
    """Return the days since a restore was last done and proven."""
    newest = _newest(systems)
    days = (datetime.now(UTC) - moment(newest["at"])).total_seconds() / 86_400
    return Reading(value=round(days, 1), detail=newest)


@probe(unit="h")
def took(systems: Systems) -> Reading:
    """Return how long the last restore took, in hours."""
    newest = _newest(systems)
    return Reading(value=round(newest["took_s"] / 3600, 3), detail={"took_s": newest["took_s"]})


@probe(unit="h")
def data_lost(systems: Systems) -> Reading:
    """Return the time between the last row restored and the damage, or the end, in hours."""
    newest = _newest(systems)
    return Reading(value=round(newest["loss_s"] / 3600, 3), detail={"loss_s": newest["loss_s"]})


@probe(unit="differences", timeout_s=300)
def catalogue_differences(systems: Systems) -> Reading:
    """Count what differs in tables, types, policies, functions, indexes, views, jobs."""
    return _differences(systems, "catalogue")


@probe(unit="differences", timeout_s=300)
def row_differences(systems: Systems) -> Reading:
    """Count the critical tables with a row, older than the restore, that the copy has not so."""
    return _differences(systems, "rows")


@probe(unit="differences", timeout_s=300)
def vector_differences(systems: Systems) -> Reading:
    """Count what differs in the embeddings: how many, how long, and what a search finds."""
    return _differences(systems, "vectors")


@probe(unit="copies")
def copies(systems: Systems) -> Reading:
    """Count the restored copies that still run; 0 or 1."""
    place = Place.of(systems)
    found = server.found(place)
    return Reading(value=int(found is not None), detail={"folder": str(place.copy)})


def _differences(systems: Systems, subject: str) -> Reading:
    """Compare the copy that runs now; without one, tell what the last restore proved."""
    newest = _newest(systems)
    found = server.found(Place.of(systems))
    if found is None:
        return Reading(value=len(newest[subject]), detail={"proven": newest["at"], **newest})
    with reading(found) as database:
        reached = moment(newest["reached"])
        different = proof.compare(database, systems, reached=reached)[subject]
    return Reading(value=len(different), detail=different)


def _newest(systems: Systems) -> dict[str, Any]:
    proofs = Place.of(systems).proofs()
    if not proofs:
        message = "No restore was ever proven here."
        raise NoAnswerError(message)
    return proofs[-1]
