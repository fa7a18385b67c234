"""Backups of the database: how old, whether whole, and whether the write-ahead log follows them.

The list of backups comes from Supabase's Management API. Their files stand in the folder of the
setting ``base``, one folder a backup: ``data`` with the files as pg_basebackup wrote them, and
``backup.json`` with the times, the status, the first segment of the log, and what the database
held then (rows by table, a hash of each policy). Archived segments stand in the folder ``wal``.
"""

import json
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from runbook_nb.errors import ActionError, NoAnswerError
from runbook_nb.packs.control_plane.systems.backups import files, listing
from runbook_nb.packs.control_plane.systems.backups.queries import (
    ARCHIVER,
    COUNTS,
    JOBS,
    MISSIONS,
    POLICIES,
    SIZES,
)
from runbook_nb.probes.calls import Reading, Systems, action, probe
from runbook_nb.text.values import Json

# Retention deletes rows of these tables by itself, so fewer of them are no loss.
PURGED: Final = frozenset(
    {
        "telemetry_events",
        "composio_audit_events",
        "workspace_stream_sessions",
        "undo_events",
        "mission_sessions",
    }
)
_SHOWN: Final = 20


@probe(unit="h")
def age(systems: Systems) -> Reading:
    """Return the hours since the newest completed backup, as the Management API lists it."""
    listed = listing.listed(systems)
    hours = (datetime.now(UTC) - max(listing.completed(listed))).total_seconds() / 3600
    return Reading(value=round(hours, 1), detail=listed[:5])


@probe(unit="")
def last_status(systems: Systems) -> Reading:
    """Return how the newest attempt ended, in the Management API's word."""
    listed = listing.listed(systems)
    newest = max(listed, key=lambda each: files.moment(each["inserted_at"]))
    return Reading(value=newest["status"], detail=listed[:5])


@probe(unit="d")
def reach(systems: Systems) -> Reading:
    """Return the age of the oldest completed backup, in days."""
    times = listing.completed(listing.listed(systems))
    days = (datetime.now(UTC) - min(times)).total_seconds() / 86_400
    return Reading(value=round(days, 1), detail={"oldest": min(times), "completed": len(times)})


@probe(unit="d")
def restorable_window(systems: Systems) -> Reading:
    """Return the length of the window of restorable moments, in days; 0 without the add-on."""
    answer = listing.answer(systems)
    window = answer.get("physical_backup_data") or {}
    earliest = window.get("earliest_physical_backup_date_unix")
    latest = window.get("latest_physical_backup_date_unix")
    days = (latest - earliest) / 86_400 if answer["pitr_enabled"] and earliest and latest else 0
    return Reading(value=round(days, 1), detail={"pitr": answer["pitr_enabled"], **window})


@probe(unit="")
def archiving(systems: Systems) -> Reading:
    """Tell whether the last attempt to archive a segment of the log worked, in one word."""
    row = systems.database().row(ARCHIVER)
    if row["last_archived_time"] is None and not row["failing"]:
        message = "The archiver has archived nothing yet, so nothing can be told of it."
        raise NoAnswerError(message)
    return Reading(value="failing" if row["failing"] else "archiving", detail=row)


@probe(unit="segments")
def missing_segments(systems: Systems) -> Reading:
    """Count the segments of the log that are missing after the newest backup."""
    _, backup = files.newest(systems)
    size, first_name = int(backup["wal_segment_bytes"]), str(backup["wal_first"])
    first = files.number_of(first_name, size)
    names = [file.name for file in Path(systems.setting("backup", "wal")).iterdir()]
    there = {files.number_of(name, size) for name in names if files.is_segment(name)}
    last = max(there | {first - 1})
    missing = sorted(set(range(first, last + 1)) - there)
    detail = {
        "first needed": first_name,
        "archived since": last + 1 - first - len(missing),
        "missing": [
            files.segment_at(number, like=first_name, size=size) for number in missing[:_SHOWN]
        ],
    }
    return Reading(value=len(missing), detail=detail)


@probe(unit="", timeout_s=120)
def intact(systems: Systems) -> Reading:
    """Verify the files of the newest backup against their checksums; ``intact`` or ``damaged``."""
    folder, _ = files.newest(systems)
    program = Path(systems.setting("backup", "bin")) / "pg_verifybackup"
    done = files.run(
        [program, "--quiet", "--format=plain", "--no-parse-wal", folder / "data"], timeout_s=110
    )
    said = (done.stdout + done.stderr).strip().splitlines()[:_SHOWN]
    return Reading(value="damaged" if done.returncode else "intact", detail=said)


@probe(unit="rows")
def rows_lost(systems: Systems) -> Reading:
    """Count the rows that tables hold fewer than the newest backup knew.

    Tables that retention purges are shown and not counted.
    """
    _, backup = files.newest(systems)
    now = _counted(systems)
    known: dict[str, int] = backup["tables"]
    fewer = {name: rows - now.get(name, 0) for name, rows in known.items()}
    detail = [
        {"table": name, "at the backup": known[name], "now": now.get(name, 0), "fewer": lost}
        for name, lost in fewer.items()
        if lost > 0
    ]
    counted = sum(lost for name, lost in fewer.items() if lost > 0 and name not in PURGED)
    return Reading(value=counted, detail=detail)


@probe(unit="%")
def missions_lost(systems: Systems) -> Reading:
    """Return how many of the missions that the newest backup knew are gone, in percent."""
    _, backup = files.newest(systems)
    known = int(backup["tables"]["missions"])
    now = int(systems.database().value(MISSIONS))
    share = 100 * max(0, known - now) / max(1, known)
    return Reading(value=round(share, 1), detail={"at the backup": known, "now": now})


@probe(unit="policies")
def policies_changed(systems: Systems) -> Reading:
    """Count the policies that were added, removed or changed since the newest backup."""
    _, backup = files.newest(systems)
    known: dict[str, str] = backup["policies"]
    now = {row["name"]: row["content"] for row in systems.database().rows(POLICIES)}
    changes = [
        {"policy": name, "since the backup": _change(name, known, now)}
        for name in sorted(known.keys() | now.keys())
        if known.get(name) != now.get(name)
    ]
    return Reading(value=len(changes), detail=changes)


@probe(unit="jobs")
def scheduled_jobs(systems: Systems) -> Reading:
    """Count the active scheduled jobs."""
    rows = systems.database().rows(JOBS)
    return Reading(value=sum(row["active"] for row in rows), detail=rows)


@action(timeout_s=1800, repeatable=True)
def take(systems: Systems) -> Json:
    """Take a physical backup now and put it beside the others; returns its folder."""
    began = datetime.now(UTC)
    folder = Path(systems.setting("backup", "base")) / f"{began:%Y%m%dT%H%M%SZ}"
    held = _held(systems)
    files.demand_room(folder, size_bytes=held["size_bytes"])
    folder.mkdir(parents=True)
    try:
        label = files.copy_files(systems, folder / "data")
    except BaseException:
        # Half a backup that looks like a whole one is worse than none.
        shutil.rmtree(folder)
        raise
    ended = datetime.now(UTC)
    times = {"started_at": began.isoformat(), "finished_at": ended.isoformat()}
    content = {**times, "status": files.COMPLETED, **label, **held}
    (folder / files.MANIFEST).write_text(json.dumps(content, indent=1), encoding="utf-8")
    return {"folder": str(folder), "took_s": round((ended - began).total_seconds(), 1)}


@take.rehearsal
def _(systems: Systems) -> Json:
    base = Path(systems.setting("backup", "base"))
    size = _held(systems)["size_bytes"]
    return {"would copy_mb": round(size / 1e6), **files.demand_room(base, size_bytes=size)}


@take.undo
def _(systems: Systems, result: Json) -> Json:
    folder = Path(result["folder"])
    if folder.parent != Path(systems.setting("backup", "base")):
        message = f"{folder} is no backup of this environment; it stays."
        raise ActionError(message)
    shutil.rmtree(folder, ignore_errors=True)
    return {"removed": str(folder)}


@action(timeout_s=60, irreversible=True)
def restore_in_place(systems: Systems, *, moment: str) -> Json:
    """Have the partner restore the whole project to a moment (ISO 8601, UTC).

    The project is down meanwhile, and everything written after the moment is lost.
    """
    body = {"recovery_time_target_unix": int(files.moment(moment).timestamp())}
    api, project = systems.http("supabase_management"), listing.project(systems)
    path = f"{project}/database/backups/restore-pitr"
    api.request("POST", path, json=body).raise_for_status()
    return {"sent": body, "project": api.get(project).raise_for_status().json()["status"]}


@restore_in_place.rehearsal
def _(systems: Systems, *, moment: str) -> Json:
    body = {"recovery_time_target_unix": int(files.moment(moment).timestamp())}
    return {"would send": body, "restorable": listing.answer(systems)["physical_backup_data"]}


def _held(systems: Systems) -> dict[str, Any]:
    """Return what the database holds, counted before a backup so that the backup holds it all."""
    database = systems.database()
    return {
        "tables": _counted(systems),
        "policies": {row["name"]: row["content"] for row in database.rows(POLICIES)},
        **database.row(SIZES),
    }


def _counted(systems: Systems) -> dict[str, int]:
    """Count the rows of every table; the statistics would lag behind a loss."""
    questions = [row["question"] for row in systems.database().rows(COUNTS)]
    rows = systems.database().rows(" union all ".join(questions))
    return {row["name"]: int(row["rows"]) for row in rows}


def _change(name: str, known: Mapping[str, str], now: Mapping[str, str]) -> str:
    if name not in known:
        return "added"
    return "changed" if name in now else "removed"
