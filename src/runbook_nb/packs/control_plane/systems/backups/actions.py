"""How a backup is taken."""

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from runbook_nb.errors import ActionError
from runbook_nb.packs.control_plane.systems._database.backup_files import (
    COMPLETED,
    MANIFEST,
    run_program,
)
from runbook_nb.packs.control_plane.systems._database.owner import owner_dsn
from runbook_nb.packs.control_plane.systems._database.row_lists import LIST, list_rows
from runbook_nb.packs.control_plane.systems.backups._counts import counted_rows
from runbook_nb.packs.control_plane.systems.backups._queries import (
    POLICIES,
    SIZES,
)
from runbook_nb.probes.calls import Systems, action
from runbook_nb.text.values import Json

# A copy needs its own size, and the log that is written while it is taken.
ROOM: Final = 1.2


@action(timeout_s=1800, repeatable=True)
def take(systems: Systems) -> Json:
    """Take a physical backup now and put it beside the others; returns its folder."""
    began = datetime.now(UTC)
    folder = Path(systems.setting("backup", "base")) / f"{began:%Y%m%dT%H%M%SZ}"
    held, rows = _held(systems), list_rows(systems.database())
    _demand_room(folder, size_bytes=held["size_bytes"])
    folder.mkdir(parents=True)
    try:
        label = _copy_files(systems, folder / "data")
    except BaseException:
        # Half a backup that looks like a whole one is worse than none.
        shutil.rmtree(folder)
        raise
    ended = datetime.now(UTC)
    times = {"started_at": began.isoformat(), "finished_at": ended.isoformat()}
    content = {**times, "status": COMPLETED, **label, **held}
    (folder / LIST).write_text(json.dumps(rows), encoding="utf-8")
    (folder / MANIFEST).write_text(json.dumps(content, indent=1), encoding="utf-8")
    return {"folder": str(folder), "took_s": round((ended - began).total_seconds(), 1)}


@take.rehearsal
def _(systems: Systems) -> Json:
    base = Path(systems.setting("backup", "base"))
    size = _held(systems)["size_bytes"]
    return {"would copy_mb": round(size / 1e6), **_demand_room(base, size_bytes=size)}


@take.undo
def _(systems: Systems, result: Json) -> Json:
    folder = Path(result["folder"])
    if folder.parent != Path(systems.setting("backup", "base")):
        message = f"{folder} is no backup of this environment; it stays."
        raise ActionError(message)
    shutil.rmtree(folder, ignore_errors=True)
    return {"removed": str(folder)}


def _held(systems: Systems) -> dict[str, Any]:
    """Return what the database holds, counted before a backup so that the backup holds it all."""
    database = systems.database()
    return {
        "tables": counted_rows(systems),
        "policies": {row["name"]: row["content"] for row in database.rows(POLICIES)},
        **database.row(SIZES),
    }


def _copy_files(systems: Systems, to: Path) -> dict[str, str]:
    """Copy the database's files as pg_basebackup does; returns where the log begins."""
    from psycopg.conninfo import conninfo_to_dict, make_conninfo

    known = conninfo_to_dict(owner_dsn(systems))
    # Beside the command and not in it: every account may read the arguments of a process.
    password = str(known.pop("password", ""))
    program = Path(systems.setting("backup", "bin")) / "pg_basebackup"
    done = run_program(
        [
            *(program, "--dbname", make_conninfo("", **known), "--pgdata", to),
            *("--wal-method=stream", "--checkpoint=fast"),
        ],
        environment={"PGPASSWORD": password},
        timeout_s=1700,
    )
    if done.returncode != 0:
        message = f"The backup failed: {done.stderr.strip()}"
        raise ActionError(message)
    label = (to / "backup_label").read_text(encoding="utf-8")
    return {"wal_first": label.partition("(file ")[2].partition(")")[0]}


def _demand_room(folder: Path, *, size_bytes: int) -> dict[str, int]:
    """Return what is needed and free in MB; raises ActionError where it does not fit."""
    there = next(each for each in (folder, *folder.parents) if each.exists())
    room = {
        "needed_mb": round(size_bytes * ROOM / 1e6),
        "free_mb": round(shutil.disk_usage(there).free / 1e6),
    }
    if room["needed_mb"] > room["free_mb"]:
        message = f"{folder} has {room['free_mb']} MB free; {room['needed_mb']} MB are needed."
        raise ActionError(message)
    return room
