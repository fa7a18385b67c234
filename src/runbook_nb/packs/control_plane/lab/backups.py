"""The nightly backups of the lab's database, as the partner that hosts it takes and lists them.

A backup is a folder `backups/<time>` with a `backup.json`, which says when it was taken, how that
ended, and what the database held; the newest also has the files themselves, in `data`.
"""

import json
import shutil
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from runbook_nb.packs.control_plane.lab.backup_rows import write_rows
from runbook_nb.timeline.store.embedded.binaries import programs_for
from runbook_nb.timeline.store.embedded.cluster import ENVIRONMENT
from runbook_nb.timeline.store.embedded.files import write_whole
from runbook_nb.timeline.store.embedded.processes import (
    commands,
    end,
    identify,
    server_account,
)

BACKUPS = "backups"
RESTORES = "restores"
# What faults keep aside to heal with: of no use once the rows they belong to are gone.
ASIDE = "backup-faults"
MANIFEST = "backup.json"
PROOFS = "restores.jsonl"

# The platform promises 30 nights; the list begins one earlier, so that 30 are always there.
_NIGHTS = 31
_NIGHTLY_HOUR = 1
_LAST_PROOF = timedelta(days=3)
_PROOF_TOOK_S = 412.6
_COMMAND_WITHIN_S = 120

_TABLES = "select tablename from pg_tables where schemaname = 'public' order by tablename"
_POLICIES = """
select tablename || '.' || policyname as name,
       md5(concat_ws('|', permissive, roles, cmd, qual, with_check)) as content
from pg_policies where schemaname = 'public' order by 1
"""


def settings_for(folder: Path) -> dict[str, str | int]:
    """Return the settings by which backups and restores are found; paths and an account."""
    account = server_account()
    return {
        "bin": str(programs_for(account, copy=folder / "binaries")),
        "base": str(folder / BACKUPS),
        "wal": str(folder / "postgres" / "archive"),
        "scratch": str(folder / RESTORES),
        "run_as": account.name if account else "",
    }


def take_nightly(folder: Path, dsn: str) -> Path:
    """Take the backup of this night and write the history before it; return its folder.

    The list of past nights has no files: the lab did not exist then.
    """
    began = datetime.now(UTC)
    night = folder / BACKUPS / f"{began:%Y%m%dT%H%M%SZ}"
    shutil.rmtree(folder / BACKUPS, ignore_errors=True)
    night.mkdir(parents=True)
    held = _what_is_held(dsn)
    write_rows(night, dsn)
    label = _copy_files(night / "data", dsn)
    _write_history(folder, before=began)
    write_manifest(
        night,
        {
            "started_at": began.isoformat(),
            "finished_at": datetime.now(UTC).isoformat(),
            "status": "COMPLETED",
            "wal_first": label.partition("(file ")[2].partition(")")[0],
            **held,
        },
    )
    return night


def manifests(folder: Path) -> dict[Path, dict[str, Any]]:
    """Return what each backup says of itself by its folder, the newest first."""
    files = sorted((folder / BACKUPS).glob(f"*/{MANIFEST}"), reverse=True)
    return {file.parent: json.loads(file.read_text(encoding="utf-8")) for file in files}


def is_taken(folder: Path) -> bool:
    """Say whether this night's backup is there, and not only the list of the nights before."""
    return any("tables" in backup for backup in manifests(folder).values())


def write_manifest(backup: Path, content: Mapping[str, Any]) -> None:
    """Write what a backup says of itself."""
    backup.mkdir(exist_ok=True)
    write_whole(backup / MANIFEST, json.dumps(content, indent=1))


def forget_backups(folder: Path) -> None:
    """Delete the backups, what was restored from them, and what faults around them kept aside."""
    end_copies(folder)
    for part in (BACKUPS, RESTORES, ASIDE):
        shutil.rmtree(folder / part, ignore_errors=True)


def forget_backup(backup: Path) -> None:
    """Delete one backup with its files."""
    shutil.rmtree(backup, ignore_errors=True)


def end_copies(folder: Path) -> None:
    """End the servers that were restored from backups, and delete their files."""
    copies = f"{folder / RESTORES}/"
    for pid, command in commands().items():
        if copies in command and "postgres" in command and (found := identify(pid)):
            end(found, grace_s=0, asking=())
    with suppress(FileNotFoundError):
        about = (folder / RESTORES / "copy" / "copy.json").read_text(encoding="utf-8")
        shutil.rmtree(json.loads(about)["socket"], ignore_errors=True)
    shutil.rmtree(folder / RESTORES / "copy", ignore_errors=True)


def _copy_files(to: Path, dsn: str) -> str:
    """Copy the database's files as they are now; return the label that the copy bears."""
    done = subprocess.run(
        [
            *(programs_for(None, copy=to) / "pg_basebackup", "--dbname", dsn, "--pgdata", to),
            *("--wal-method=stream", "--checkpoint=fast", "--no-sync"),
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
        env=ENVIRONMENT,
        timeout=_COMMAND_WITHIN_S,
    )
    if done.returncode != 0:
        raise OSError(f"The nightly backup failed: {done.stderr.strip()}")
    return (to / "backup_label").read_text(encoding="utf-8")


def _what_is_held(dsn: str) -> dict[str, Any]:
    """Count the rows of each table and take a hash of each policy."""
    import psycopg
    from psycopg import sql

    with psycopg.connect(dsn, autocommit=True) as connection:
        tables = [name for (name,) in connection.execute(_TABLES)]
        rows = {}
        for name in tables:
            counted = sql.SQL("select count(*) from public.{}").format(sql.Identifier(name))
            (rows[name],) = connection.execute(counted).fetchone() or (0,)
        policies: dict[str, str] = dict(connection.execute(_POLICIES).fetchall())
        (segment,) = connection.execute(
            "select setting::bigint from pg_settings where name = 'wal_segment_size'"
        ).fetchone() or (0,)
        (size,) = connection.execute("select pg_database_size(current_database())").fetchone() or (
            0,
        )
    return {
        "tables": rows,
        "policies": policies,
        "wal_segment_bytes": segment,
        "size_bytes": size,
    }


def _write_history(folder: Path, *, before: datetime) -> None:
    """List the nights before this one, and the weekly restore that proved one of them."""
    last = before.replace(hour=_NIGHTLY_HOUR, minute=0, second=0, microsecond=0)
    if before - last < timedelta(hours=1):
        last -= timedelta(days=1)
    for number in range(_NIGHTS):
        at = last - timedelta(days=number)
        ended = (at + timedelta(minutes=4)).isoformat()
        write_manifest(
            folder / BACKUPS / f"{at:%Y%m%dT%H%M%SZ}",
            {"started_at": at.isoformat(), "finished_at": ended, "status": "COMPLETED"},
        )
    proof = {
        "at": (before - _LAST_PROOF).isoformat(),
        "purpose": "weekly verification",
        "took_s": _PROOF_TOOK_S,
        "loss_s": 2.0,
        "catalogue": [],
        "rows": [],
        "vectors": [],
    }
    (folder / RESTORES).mkdir(mode=0o711, exist_ok=True)
    (folder / RESTORES).chmod(0o711)
    write_whole(folder / RESTORES / PROOFS, json.dumps(proof) + "\n")
