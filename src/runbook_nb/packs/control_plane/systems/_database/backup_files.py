"""What backups and restores share: PostgreSQL's programs, the segments of the log, moments."""

import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from runbook_nb.errors import ActionError

MANIFEST: Final = "backup.json"
COMPLETED: Final = "COMPLETED"
# The log is named by files of this size, cut into segments.
LOG_BYTES: Final = 2**32
_SEGMENT: Final = re.compile(r"[0-9A-F]{24}")


def run_program(
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
        env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC", **(environment or {})},
        timeout=timeout_s,
    )


def is_segment(name: str) -> bool:
    """Tell whether a file of the archive is a whole segment, and no history, label or part."""
    return _SEGMENT.fullmatch(name) is not None


def moment(text: str) -> datetime:
    """Return the aware time of ISO 8601 text, UTC where no zone is named; raises ActionError."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        message = f"{text!r} is no moment; write it as 2026-11-23T03:15:00Z."
        raise ActionError(message) from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
