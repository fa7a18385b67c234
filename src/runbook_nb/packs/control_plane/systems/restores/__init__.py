"""Restores: a backup and the log replayed into a second server, proven, and used.

A restore writes nothing to the platform: the copy is made from files, on a server of its own, in
the folder of the setting ``scratch``. What it proved is added there to ``restores.jsonl``. Only
``bring_back`` writes to the platform, in one transaction.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from runbook_nb.errors import ActionError, NoAnswerError
from runbook_nb.packs.control_plane.systems.restores import copying, proof, rows, server
from runbook_nb.packs.control_plane.systems.restores.copying import DAMAGE, END, LONGEST_S, reading
from runbook_nb.packs.control_plane.systems.restores.place import Place, moment
from runbook_nb.probes.calls import Reading, Systems, action, probe
from runbook_nb.text.values import Json


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


@action(timeout_s=LONGEST_S, repeatable=True)
def restore_copy(systems: Systems, *, to: str = DAMAGE) -> Json:
    """Restore the newest backup and the log into a second server, and prove the copy.

    ``to`` is ``damage``, just before the newest large delete that the log knows; ``end``, as far
    as the log reaches without a gap; or a moment in ISO 8601, UTC. A former copy goes first.
    """
    return copying.make_proven(systems, Place.of(systems), to=to)


@restore_copy.rehearsal
def _(systems: Systems, *, to: str = DAMAGE) -> Json:
    place = Place.of(systems)
    backup = place.newest_backup()
    if to not in (DAMAGE, END):
        moment(to)
    return {
        "would restore": str(backup.data.parent),
        "to": to,
        "segments archived since": len(place.archived(backup)),
        "into": str(place.copy),
        "would end a former copy": server.found(place) is not None,
        **server.room(place, backup),
    }


@restore_copy.undo
def _(systems: Systems, result: Json, *, to: str = DAMAGE) -> Json:  # noqa: ARG001
    return {"removed": server.remove(Place.of(systems))}


@action(timeout_s=120, repeatable=True)
def remove_copy(systems: Systems) -> Json:
    """End the copy's server and delete its files; what it proved stays on the list."""
    return {"removed": server.remove(Place.of(systems))}


@remove_copy.rehearsal
def _(systems: Systems) -> Json:
    place = Place.of(systems)
    return {"would remove": str(place.copy), "runs": server.found(place) is not None}


@action(timeout_s=3600, repeatable=True)
def bring_back(systems: Systems, *, tables: tuple[str, ...] = ()) -> Json:
    """Insert the rows that only the copy holds, in one transaction; all tables when none is named.

    Columns that the loss blanked are filled again; the platform stamps those rows as updated.
    """
    with systems.database().transaction():
        inserted, filled = _bring_back(systems, tables)
    folder = Place.of(systems).scratch / "brought-back"
    folder.mkdir(exist_ok=True)
    record = folder / f"{datetime.now(UTC):%Y%m%dT%H%M%S%fZ}.json"
    record.write_text(json.dumps({"inserted": inserted, "filled": filled}), encoding="utf-8")
    return {**_counted(inserted, filled), "ids": str(record)}


@bring_back.rehearsal
def _(systems: Systems, *, tables: tuple[str, ...] = ()) -> Json:
    if server.found(Place.of(systems)) is None:
        return {"waits for": "the restored copy, which the action before this one makes"}
    with systems.database().transaction(rollback=True):
        return _counted(*_bring_back(systems, tables))


@bring_back.undo
def _(systems: Systems, result: Json, *, tables: tuple[str, ...] = ()) -> Json:  # noqa: ARG001
    known = json.loads(Path(result["ids"]).read_text(encoding="utf-8"))
    with systems.database().transaction():
        return rows.take_back(
            systems.database(), inserted=known["inserted"], filled=known["filled"]
        )


def _differences(systems: Systems, subject: str) -> Reading:
    """Compare the copy that runs now; without one, tell what the last restore proved."""
    newest = _newest(systems)
    found = server.found(Place.of(systems))
    if found is None:
        return Reading(value=len(newest[subject]), detail={"proven": newest["at"], **newest})
    with reading(found) as database:
        reached = moment(newest["reached"])
        different = proof.compare(database, systems.database(), reached=reached)[subject]
    return Reading(value=len(different), detail=different)


def _newest(systems: Systems) -> dict[str, Any]:
    proofs = Place.of(systems).proofs()
    if not proofs:
        message = "No restore was ever proven here."
        raise NoAnswerError(message)
    return proofs[-1]


def _bring_back(
    systems: Systems, tables: tuple[str, ...]
) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    found = server.found(Place.of(systems))
    if found is None:
        message = "No restored copy runs. Restore one first."
        raise ActionError(message)
    with reading(found) as copy:
        source = systems.database()
        ids = rows.missing(copy, source, tables)
        inserted = rows.insert(copy, source, ids)
        parents = {each for kept in inserted.values() for each in kept}
        return inserted, rows.point_again(copy, source, parents=parents)


def _counted(
    inserted: Mapping[str, list[str]], filled: Mapping[str, list[str]]
) -> dict[str, dict[str, int]]:
    return {
        "inserted": {table: len(ids) for table, ids in inserted.items()},
        "filled again": {name: len(ids) for name, ids in filled.items()},
    }
