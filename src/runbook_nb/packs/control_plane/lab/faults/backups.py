"""Eight faults around backups: rows, backups, the log, objects, and rows that are only hidden."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from runbook_nb.errors import LabError
from runbook_nb.packs.control_plane.lab.backups import (
    ASIDE,
    PROOFS,
    RESTORES,
    end_copies,
    forget_backup,
    manifests,
    write_manifest,
)
from runbook_nb.packs.control_plane.lab.faults.backups_rows import (
    delete_library,
    delete_missions,
    put_back,
)
from runbook_nb.packs.control_plane.lab.faults.fault import Fault
from runbook_nb.packs.control_plane.lab.faults.outside import first_value, superuser, until
from runbook_nb.packs.control_plane.lab.faults.storage_hands import storage
from runbook_nb.packs.control_plane.lab.state import LabState
from runbook_nb.timeline.store.embedded.files import write_whole

_STALE = timedelta(hours=31)
_OVERDUE = timedelta(days=9)
_OBJECTS = 12
_POLICY = "archived_missions_are_over"

_NEWEST_OBJECTS = """
SELECT storage_path FROM mission_artifacts
 WHERE storage_path IS NOT NULL ORDER BY created_at DESC, id LIMIT %(count)s
"""
_HIDE = f"""
CREATE POLICY {_POLICY} ON missions AS RESTRICTIVE FOR SELECT TO authenticated
 USING (status <> 'archived')
"""
_SHOW = f"DROP POLICY IF EXISTS {_POLICY} ON missions"
_CLOSE_SEGMENT = "SELECT pg_walfile_name(pg_switch_wal())"


def fail_backups(lab: LabState) -> None:
    """Have the last nights' backups fail; the last good one is 31 h old."""
    remember_backups(lab)
    now = datetime.now(UTC)
    for folder, backup in manifests(lab.folder).items():
        ended = datetime.fromisoformat(backup["finished_at"])
        if "tables" in backup:
            times = {"started_at": (now - _STALE).isoformat()}
            write_manifest(folder, {**backup, **times, "finished_at": (now - _STALE).isoformat()})
        elif now - ended < _STALE:
            write_manifest(folder, {**backup, "status": "FAILED"})


def _break_log(lab: LabState) -> None:
    """Lose a segment of the archived log, and after it the missions of a tenant."""
    remember_backups(lab)
    segment = close_segments(lab)[1]
    segment.rename(segments_aside(lab) / segment.name)
    delete_missions(lab, "harbourlight", name="wal_gap")


def close_segments(lab: LabState) -> list[Path]:
    """Have the database archive three segments more, and return their files."""
    archive = lab.folder / "postgres" / "archive"
    with superuser(lab) as connection:
        closed = []
        for _ in range(3):
            # A segment in which nothing was written would not be closed.
            connection.execute("SELECT pg_log_standby_snapshot()")
            name = first_value(connection, _CLOSE_SEGMENT)
            closed.append(archive / name)
            until(closed[-1].exists, within_s=5, otherwise=f"{name} was not archived")
    return closed


def mend_log(lab: LabState) -> None:
    """Bring the segment and the rows back; forget the backup that a responder took."""
    put_back(lab, name="wal_gap")
    for segment in segments_aside(lab).iterdir():
        segment.replace(lab.folder / "postgres" / "archive" / segment.name)
    recall_backups(lab)


def _lose_objects(lab: LabState) -> None:
    """Delete the objects of the newest artifacts through the Storage API."""
    with superuser(lab) as connection, storage(lab) as client:
        found = connection.execute(_NEWEST_OBJECTS.encode(), {"count": _OBJECTS}).fetchall()
        names = [path.partition("/")[2] for (path,) in found]
        client.request("DELETE", "/object/evidence", json={"prefixes": names}).raise_for_status()


def _find_objects(lab: LabState) -> None:
    """Copy the objects back from their versions; those that are there are left."""
    with superuser(lab) as connection, storage(lab) as client:
        found = connection.execute(_NEWEST_OBJECTS.encode(), {"count": _OBJECTS}).fetchall()
        for (path,) in found:
            bucket, _, name = path.partition("/")
            source = {"bucketId": "evidence-versions", "sourceKey": path}
            target = {"destinationBucket": bucket, "destinationKey": name}
            answer = client.post("/object/copy", json={**source, **target})
            if answer.is_error and answer.json().get("statusCode") != "409":
                raise LabError(f"{path} could not be put back: {answer.text}")


def _hide_rows(lab: LabState) -> None:
    """Release a policy that hides archived missions from the tenants who own them."""
    with superuser(lab) as connection:
        connection.execute(_SHOW.encode())
        connection.execute(_HIDE.encode())


def _show_rows(lab: LabState) -> None:
    with superuser(lab) as connection:
        connection.execute(_SHOW.encode())


def _stop_jobs(lab: LabState) -> None:
    """Switch two scheduled jobs off, as a restore into a new project leaves them."""
    with superuser(lab) as connection:
        connection.execute("UPDATE cron.job SET active = false WHERE jobid <= 2")


def _start_jobs(lab: LabState) -> None:
    with superuser(lab) as connection:
        connection.execute("UPDATE cron.job SET active = true")


def _forget_restore(lab: LabState) -> None:
    """Let nine days pass since the last restore was proven."""
    first = _first_proof(lab)
    at = datetime.now(UTC) - _OVERDUE
    write_whole(lab.folder / RESTORES / PROOFS, json.dumps({**first, "at": at.isoformat()}) + "\n")


def _prove_restore(lab: LabState) -> None:
    end_copies(lab.folder)
    first = _first_proof(lab)
    at = datetime.now(UTC) - timedelta(days=3)
    write_whole(lab.folder / RESTORES / PROOFS, json.dumps({**first, "at": at.isoformat()}) + "\n")


def _first_proof(lab: LabState) -> dict[str, object]:
    lines = (lab.folder / RESTORES / PROOFS).read_text(encoding="utf-8").splitlines()
    found: dict[str, object] = json.loads(lines[0])
    return found


def remember_backups(lab: LabState) -> None:
    """Keep what each backup says of itself, to heal with."""
    file = lab.folder / ASIDE / "backups.json"
    file.parent.mkdir(exist_ok=True)
    if not file.exists():
        kept = {str(folder): backup for folder, backup in manifests(lab.folder).items()}
        write_whole(file, json.dumps(kept))


def recall_backups(lab: LabState) -> None:
    """Make the list of backups what it was; a backup that was taken since goes."""
    end_copies(lab.folder)
    file = lab.folder / ASIDE / "backups.json"
    if not file.exists():
        return
    kept = json.loads(file.read_text(encoding="utf-8"))
    for folder in manifests(lab.folder):
        if str(folder) not in kept:
            forget_backup(folder)
    for name, backup in kept.items():
        write_manifest(Path(name), backup)
    file.unlink()


def segments_aside(lab: LabState) -> Path:
    """Return the folder where lost segments of the log are kept."""
    folder = lab.folder / ASIDE / "segments"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


FAULTS = (
    Fault(
        name="missions_deleted",
        title="A tenant's finished missions were deleted, and all that hangs on them",
        inject=lambda lab: delete_missions(lab, "northwind", name="missions_deleted"),
        heal=lambda lab: put_back(lab, name="missions_deleted"),
    ),
    Fault(
        name="library_deleted",
        title="A tenant's library was deleted, embeddings included",
        inject=lambda lab: delete_library(lab, "harbourlight", name="library_deleted"),
        heal=lambda lab: put_back(lab, name="library_deleted"),
    ),
    Fault(
        name="backup_stale",
        title="The nightly backup has failed for more than a day",
        inject=fail_backups,
        heal=recall_backups,
    ),
    Fault(
        name="wal_gap",
        title="A segment of the archived log is lost, and missions were deleted after it",
        inject=_break_log,
        heal=mend_log,
    ),
    Fault(
        name="objects_missing",
        title="Objects are gone from Storage while their rows are well",
        inject=_lose_objects,
        heal=_find_objects,
    ),
    Fault(
        name="rows_hidden",
        title="A new policy hides archived missions from their tenants: nothing is lost",
        inject=_hide_rows,
        heal=_show_rows,
    ),
    Fault(
        name="jobs_stopped",
        title="Two scheduled jobs are off: views are not refreshed, and nothing is purged",
        inject=_stop_jobs,
        heal=_start_jobs,
    ),
    Fault(
        name="restore_overdue",
        title="Nobody has proven a restore for nine days",
        inject=_forget_restore,
        heal=_prove_restore,
    ),
)
