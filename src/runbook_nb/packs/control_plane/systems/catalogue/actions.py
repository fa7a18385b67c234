"""Rows that an older build cannot read, kept in a file."""

import hashlib
import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from runbook_nb.packs.control_plane.systems.catalogue._builds import (
    rows_newer_than,
)
from runbook_nb.probes.calls import Systems, action
from runbook_nb.text.values import Json


@action(timeout_s=120, repeatable=True)
def export_newer_rows(systems: Systems, *, folder: str) -> Json:
    """Write the rows that the previous build does not know into files, readable by us alone.

    Returns each file with its number of rows and SHA-256.
    """
    target = Path(folder).resolve()
    target.mkdir(mode=0o700, parents=True, exist_ok=True)
    return {"exported": [_written(target, place, rows) for place, rows in rows_newer_than(systems)]}


@export_newer_rows.rehearsal
def _(systems: Systems, *, folder: str) -> Json:
    found = {place: len(rows) for place, rows in rows_newer_than(systems)}
    return {"would write to": str(Path(folder).resolve()), "rows": found}


@export_newer_rows.undo
def _(systems: Systems, result: Json, *, folder: str) -> Json:  # noqa: ARG001
    for written in result["exported"]:
        Path(written["file"]).unlink(missing_ok=True)
    return {"deleted": [written["file"] for written in result["exported"]]}


def _written(folder: Path, place: str, rows: list[Any]) -> dict[str, Any]:
    """Write the rows of one place into a new file; say where, how many, and their digest."""
    text = json.dumps(rows, default=str, sort_keys=True, indent=1) + "\n"
    now = datetime.now(UTC)
    path = folder / f"{place.replace(' = ', '-')}.{now:%Y%m%dT%H%M%S.%f}Z.json"
    # Rows hold customers' data: the file is never readable by others, not even for a moment.
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    digest = hashlib.sha256(text.encode()).hexdigest()
    return {"file": str(path), "rows": len(rows), "sha256": digest}
