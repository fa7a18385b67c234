"""What is read of backups, of the log, and of what was lost since."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from runbook_nb.errors import NoAnswerError
from runbook_nb.packs.control_plane.systems._database.backup_files import (
    is_segment,
    moment,
    run_program,
)
from runbook_nb.packs.control_plane.systems.backups import _files as files
from runbook_nb.packs.control_plane.systems.backups import _listing as listing
from runbook_nb.packs.control_plane.systems.backups._counts import counted_rows
from runbook_nb.packs.control_plane.systems.backups._queries import (
    ARCHIVER,
    JOBS,
    MISSIONS,
    POLICIES,
)
from runbook_nb.probes.calls import Reading, Systems, probe

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
    newest = max(listed, key=lambda each: moment(each["inserted_at"]))
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
    there = {files.number_of(name, size) for name in names if is_segment(name)}
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
    done = run_program(
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
    now = counted_rows(systems)
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


def _change(name: str, known: Mapping[str, str], now: Mapping[str, str]) -> str:
    if name not in known:
        return "added"
    return "changed" if name in now else "removed"
