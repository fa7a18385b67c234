"""How a copy is restored and removed, its rows are brought back, or all is restored in place."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from runbook_nb.errors import ActionError, NothingDoneError
from runbook_nb.packs.control_plane.systems._database.backup_files import moment
from runbook_nb.packs.control_plane.systems._database.backup_listing import project
from runbook_nb.packs.control_plane.systems._database.losses import losses, purged
from runbook_nb.packs.control_plane.systems.restores import _copying as copying
from runbook_nb.packs.control_plane.systems.restores import _rows as rows
from runbook_nb.packs.control_plane.systems.restores import _server as server
from runbook_nb.packs.control_plane.systems.restores._copying import DAMAGE, END, LONGEST_S
from runbook_nb.packs.control_plane.systems.restores._in_place import planned
from runbook_nb.packs.control_plane.systems.restores._place import Place
from runbook_nb.packs.control_plane.systems.restores._server import reading
from runbook_nb.probes.calls import Systems, action
from runbook_nb.text.values import Json

RESTORING: Final = "RESTORING"


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

    Declines where the list of the newest backup knows of no loss in one go. Columns that the loss
    blanked are filled again; the platform stamps those rows as updated.
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


@action(timeout_s=600, irreversible=True, contained=True)
def restore_in_place(systems: Systems, *, to: str = DAMAGE) -> Json:
    """Have the partner restore the whole project to a moment; what was written after it is lost.

    ``to`` is ``damage``, the last whole second before missions were deleted, or a moment in ISO
    8601, UTC. Declines unless the list of the newest backup and the log agree that half of the
    missions or more are gone, and the moment lies before that.
    """
    found = planned(systems, to=to)
    found.demand()
    body = {"recovery_time_target_unix": found.target}
    api, path = systems.http("supabase_management"), project(systems)
    api.request("POST", f"{path}/database/backups/restore-pitr", json=body).raise_for_status()
    status = api.get(path).raise_for_status().json()["status"]
    return {**found.shown(), "sent": body, "project": status}


@restore_in_place.rehearsal
def _(systems: Systems, *, to: str = DAMAGE) -> Json:
    found = planned(systems, to=to)
    found.demand()
    body = {"recovery_time_target_unix": found.target}
    return {**found.shown(), "would send": body, "restorable": found.restorable}


@restore_in_place.settling
def _(systems: Systems, _attempt: str, *, to: str = DAMAGE) -> bool | None:  # noqa: ARG001
    # Only while it restores does the partner say so; afterwards nobody can tell from before.
    status = systems.http("supabase_management").get(project(systems)).raise_for_status().json()
    return True if status["status"] == RESTORING else None


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
        if ids:
            _demand_loss(systems, sum(map(len, ids.values())))
        inserted = rows.insert(copy, source, ids)
        parents = {each for kept in inserted.values() for each in kept}
        return inserted, rows.point_again(copy, source, parents=parents)


def _demand_loss(systems: Systems, rows_missing: int) -> None:
    """Raise NothingDoneError where the backup's own list of rows knows of no such loss.

    The copy says what is missing, and not why: a row that its user removed is missing as well.
    """
    gone = losses(systems)
    lost = sum(row["gone"] for row in gone if row["verdict"] == "lost")
    early = sum(row["fewer"] for row in purged(systems) if row["verdict"] == "purged too early")
    if not lost + early:
        others = sum(row["gone"] for row in gone)
        message = (
            f"The copy holds {rows_missing} rows that the database has not, and the list of the "
            f"newest backup knows of no loss in one go: {others} rows were removed one by one or "
            "on purpose. Nothing is brought back; ask who removed them."
        )
        raise NothingDoneError(message)


def _counted(
    inserted: Mapping[str, list[str]], filled: Mapping[str, list[str]]
) -> dict[str, dict[str, int]]:
    return {
        "inserted": {table: len(ids) for table, ids in inserted.items()},
        "filled again": {name: len(ids) for name, ids in filled.items()},
    }
