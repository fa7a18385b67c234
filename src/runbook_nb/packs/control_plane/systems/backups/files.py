"""The files of backups and of the archived log: where they are, and what their names say."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from runbook_nb.errors import ActionError, NoAnswerError
from runbook_nb.probes import secrets
from runbook_nb.probes.calls import Systems

MANIFEST: Final = "backup.json"
COMPLETED: Final = "COMPLETED"
# A copy needs its own size, and the log that is written while it is taken.
ROOM: Final = 1.2
_SEGMENT: Final = re.compile(r"[0-9A-F]{24}")
_LOG_BYTES: Final = 2**32


def newest(systems: Systems) -> tuple[Path, dict[str, Any]]:
    """Return the folder and the manifest of the newest completed backup that has its files."""
    base = Path(systems.setting("backup", "base"))
    for file in sorted(base.glob(f"*/{MANIFEST}"), reverse=True):
        backup: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        if backup["status"] == COMPLETED and (file.parent / "data").is_dir():
            return file.parent, backup
    message = f"No completed backup with its files is in {base}."
    raise NoAnswerError(message)


def copy_files(systems: Systems, to: Path) -> dict[str, str]:
    """Copy the database's files as pg_basebackup does; returns where the log begins."""
    from psycopg.conninfo import conninfo_to_dict, make_conninfo

    known = conninfo_to_dict(secret(systems, "database", "owner"))
    # Beside the command and not in it: every account may read the arguments of a process.
    password = str(known.pop("password", ""))
    program = Path(systems.setting("backup", "bin")) / "pg_basebackup"
    done = run(
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


def run(
    command: Sequence[str | Path],
    *,
    timeout_s: float,
    environment: Mapping[str, str] | None = None,
) -> "subprocess.CompletedProcess[str]":
    """Run one of PostgreSQL's programs; variables of our own shell do not reach it."""
    return subprocess.run(
        [str(word) for word in command],
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
        env={"PATH": os.defpath, "LC_ALL": "C", **(environment or {})},
        timeout=timeout_s,
    )


def demand_room(folder: Path, *, size_bytes: int) -> dict[str, int]:
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


def secret(systems: Systems, system: str, name: str) -> str:
    """Return the value that a secret setting refers to, for a program that must log in."""
    of = f"{name!r} of {system!r}"
    return secrets.resolve(systems.setting(system, name), of=of).get_secret_value()


def number_of(segment: str, size: int) -> int:
    """Return the place of a segment in the log, whatever its timeline."""
    return int(segment[8:16], 16) * (_LOG_BYTES // size) + int(segment[16:24], 16)


def segment_at(number: int, *, like: str, size: int) -> str:
    """Return the name of the segment at a place, on the timeline of another one."""
    log, place = divmod(number, _LOG_BYTES // size)
    return f"{like[:8]}{log:08X}{place:08X}"


def is_segment(name: str) -> bool:
    """Tell whether a file of the archive is a whole segment, and no history or label."""
    return _SEGMENT.fullmatch(name) is not None


def moment(text: str) -> datetime:
    """Return the aware time of ISO 8601 text, UTC where no zone is named."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        message = f"{text!r} is no moment; write it as 2026-11-23T03:15:00Z."
        raise ActionError(message) from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
