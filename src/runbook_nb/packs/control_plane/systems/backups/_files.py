"""The files of the newest backup, and where a segment stands in the log."""

import json
from pathlib import Path
from typing import Any

from runbook_nb.errors import NoAnswerError
from runbook_nb.packs.control_plane.systems._database.backup_files import (
    COMPLETED,
    LOG_BYTES,
    MANIFEST,
)
from runbook_nb.probes.calls import Systems


def newest(systems: Systems) -> tuple[Path, dict[str, Any]]:
    """Return the folder and the manifest of the newest completed backup that has its files."""
    base = Path(systems.setting("backup", "base"))
    for file in sorted(base.glob(f"*/{MANIFEST}"), reverse=True):
        backup: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        if backup["status"] == COMPLETED and (file.parent / "data").is_dir():
            return file.parent, backup
    message = f"No completed backup with its files is in {base}."
    raise NoAnswerError(message)


def number_of(segment: str, size: int) -> int:
    """Return the place of a segment in the log, whatever its timeline."""
    return int(segment[8:16], 16) * (LOG_BYTES // size) + int(segment[16:24], 16)


def segment_at(number: int, *, like: str, size: int) -> str:
    """Return the name of the segment at a place, on the timeline of another one."""
    log, place = divmod(number, LOG_BYTES // size)
    return f"{like[:8]}{log:08X}{place:08X}"
