"""What done actions returned, whole and unmasked: an undo is fed with it, and nobody else.

It lies beside the record and is no part of it: only its owner can read it, and the close removes
it.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, is_dataclass
from datetime import date, time, timedelta
from enum import Enum
from pathlib import Path
from typing import Any

from runbook_nb.text.values import Json
from runbook_nb.timeline.folder import IncidentFolder


def keep(folder: IncidentFolder, attempt: str, result: Json) -> None:
    """Keep the result of an attempt, synced to disk."""
    folder.results.mkdir(mode=0o700, exist_ok=True)
    path = _file(folder, attempt)
    with suppress(FileNotFoundError):
        path.unlink()
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8", errors="surrogatepass") as file:
        json.dump(_plain(result), file)
        file.flush()
        os.fsync(file.fileno())


def kept(folder: IncidentFolder, attempt: str) -> tuple[Json] | None:
    """Return the result of an attempt, in a tuple; None where it is not there whole."""
    try:
        text = _file(folder, attempt).read_text(encoding="utf-8", errors="surrogatepass")
        return (json.loads(text),)
    except (OSError, ValueError):
        return None


def forget(folder: IncidentFolder) -> None:
    """Remove all results of an incident."""
    shutil.rmtree(folder.results, ignore_errors=True)


def _file(folder: IncidentFolder, attempt: str) -> Path:
    return folder.results / f"{hashlib.sha256(attempt.encode()).hexdigest()[:32]}.json"


def _plain(value: Any) -> Json:  # noqa: PLR0911 - one line for each kind of value
    """Return a value as JSON, as it stands on a timeline but neither masked nor cut."""
    if is_dataclass(value) and not isinstance(value, type):
        return _plain(asdict(value))
    if isinstance(value, Enum):
        return _plain(value.value)
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in value]
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, date | time):
        return value.isoformat()
    # As PostgreSQL writes bytes, and takes them again.
    return f"\\x{value.hex()}" if isinstance(value, bytes) else str(value)
