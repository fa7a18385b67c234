"""What is read of backups, of the log, and of what was lost since."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from runbook_nb.errors import NoAnswerError
from runbook_nb.packs.control_plane.systems._database import backup_listing as listing
from runbook_nb.packs.control_plane.systems._database.backup_files import (
    is_segment,
    moment,
    run_program,
)
from runbook_nb.packs.control_plane.systems._database.jobs import JOBS, LIVE_JOBS
from runbook_nb.packs.control_plane.systems._database.losses import changes, losses, purged
from runbook_nb.packs.control_plane.systems._database.row_lists import newest, read_list
from runbook_nb.packs.control_plane.systems.backups import _files as files
from runbook_nb.packs.control_plane.systems.backups._queries import (
    ARCHIVER,
    POLICIES,
    RUNS,
)
from runbook_nb.probes.calls import Reading, Systems, probe
from runbook_nb.probes.sight import age_of, demand_samples

_SHOWN: Final = 20


@probe(unit="h")
def age(systems: Systems) -> Reading:
    """Return the hours since the newest completed backup, as the Management API lists it."""
    listed = listing.listed(systems)
    latest = max(listing.completed(listed))
    hours = age_of(latest, now=datetime.now(UTC), what="The newest backup").total_seconds() / 3600
    return Reading(value=round(hours, 1), detail=listed[:5])


@probe(unit="")
def last_status(systems: Systems) -> Reading:
    """Return how the newest attempt ended, in the Management API's word."""
    listed = listing.listed(systems)
    latest = max(listed, key=lambda each: moment(each["inserted_at"]))
    return Reading(value=latest["status"], detail=listed[:5])


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
    """Count the segments of the log that cannot be replayed after the newest backup.

    One that is there and empty, cut short, or another one's content is missing all the same.
    """
    _, backup = newest(systems)
    size, first_name = int(backup["wal_segment_bytes"]), str(backup["wal_first"])
    first = files.number_of(first_name, size)
    archive = Path(systems.setting("backup", "wal"))
    segments = [file for file in archive.iterdir() if is_segment(file.name)]
    needed = [file for file in segments if files.number_of(file.name, size) >= first]
    flaws = {file.name: flaw for file in needed if (flaw := files.flaw_of(file, size=size))}
    there = {files.number_of(file.name, size) for file in segments if file.name not in flaws}
    last_number = max((files.number_of(file.name, size) for file in segments), default=first - 1)
    last = max(last_number, first - 1)
    missing = sorted(set(range(first, last + 1)) - there)
    detail = {
        "first needed": first_name,
        "archived since": last + 1 - first - len(missing),
        "missing": [
            files.segment_at(number, like=first_name, size=size) for number in missing[:_SHOWN]
        ],
        "there and of no use": flaws,
    }
    return Reading(value=len(missing), detail=detail)


@probe(unit="", timeout_s=120)
def intact(systems: Systems) -> Reading:
    """Verify the files of the newest backup against their checksums; ``intact`` or ``damaged``."""
    folder, _ = newest(systems)
    program = Path(systems.setting("backup", "bin")) / "pg_verifybackup"
    done = run_program(
        [program, "--quiet", "--format=plain", "--no-parse-wal", folder / "data"], timeout_s=110
    )
    said = (done.stdout + done.stderr).strip().splitlines()[:_SHOWN]
    return Reading(value="damaged" if done.returncode else "intact", detail=said)


@probe(unit="rows", timeout_s=30)
def rows_lost(systems: Systems) -> Reading:
    """Count the rows that were lost in one go since the newest backup, by their ids.

    Lost are five rows or more of a tenant's table, a tenth of it, and what hung on them; as many
    new ones make up for nothing. What people remove one by one, and what an event says was deleted
    on purpose, is shown and not counted; nor is what retention purges.
    """
    rows = losses(systems)
    lost = sum(row["gone"] for row in rows if row["verdict"] == "lost")
    return Reading(value=lost, detail=rows[:_SHOWN])


@probe(unit="rows", timeout_s=30)
def rows_changed(systems: Systems) -> Reading:
    """Count the rows that one transaction overwrote in a tenant's table since the newest backup.

    Ten rows or more that are a fifth of the table are an update that reached more than it should;
    what users change one by one is shown and not counted.
    """
    rows = changes(systems)
    count = sum(row["changed"] for row in rows if row["verdict"] == "in one go")
    return Reading(value=count, detail=rows[:_SHOWN])


@probe(unit="rows", timeout_s=30)
def purged_early(systems: Systems) -> Reading:
    """Count the rows that purged tables hold fewer, of days that retention still keeps.

    Compared are whole days before the newest backup; a fifth of a table must be gone to count.
    """
    rows = purged(systems)
    fewer = sum(row["fewer"] for row in rows if row["verdict"] == "purged too early")
    return Reading(value=fewer, detail=rows)


@probe(unit="%")
def missions_lost(systems: Systems) -> Reading:
    """Return how many of the missions that the newest backup knew are gone, in percent.

    Those that were deleted on purpose, or one by one, do not count.
    """
    rows = [row for row in losses(systems) if row["table"] == "missions"]
    folder, _ = newest(systems)
    known = len(read_list(folder)["rows"]["missions"])
    lost = sum(row["gone"] for row in rows if row["verdict"] == "lost")
    return Reading(
        value=round(100 * lost / max(1, known), 1), detail={"at the backup": known, "gone": rows}
    )


@probe(unit="policies")
def policies_changed(systems: Systems) -> Reading:
    """Count the policies that were added, removed or changed since the newest backup."""
    _, backup = newest(systems)
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
    """Count the committed jobs that are missing, off, or call something else than they should.

    A job that was added on purpose is shown and not counted.
    """
    committed = JOBS.committed(systems)
    found = {each.item: each for each in JOBS.differing(systems, committed)}
    rows = systems.database().rows(LIVE_JOBS)
    for row in rows:
        well = "well" if row["jobname"] in committed else "not of the platform"
        row["is"] = "changed" if row["jobname"] in found else well
        row["is"] = row["is"] if row["active"] else "off"
    there = {row["jobname"] for row in rows}
    missing = [{"jobname": name, "is": "missing"} for name in found if name not in there]
    return Reading(value=len(found), detail=[*missing, *rows])


@probe(unit="jobs")
def failing_jobs(systems: Systems) -> Reading:
    """Count active jobs whose newest run failed, or did not end within the time of two.

    Raises NoAnswerError while no run of any job is recorded.
    """
    rows = systems.database().rows(RUNS)
    demand_samples(sum(row["runs"] for row in rows), needed=1, what="runs of jobs are recorded")
    wrong = [row for row in rows if row["newest"] == "failed" or row["overdue"]]
    return Reading(value=len(wrong), detail=[*wrong, *(row for row in rows if row not in wrong)])


def _change(name: str, known: Mapping[str, str], now: Mapping[str, str]) -> str:
    if name not in known:
        return "added"
    return "changed" if name in now else "removed"
