"""Which folders are incidents, and whether one changed since it was read."""

import os
import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Final

from runbook_nb.timeline.folder import RECORDED, TIMELINE, IncidentFolder

# A file system may keep times to two seconds: what changed within that could change again unseen.
SETTLED_S: Final = 2.0
MISSING: Final = "missing"
_NUMBERED: Final = re.compile(r"INC-\d+")


def stamps(incidents: Path, *, now: datetime) -> Iterator[tuple[str, str]]:
    """Return each incident's folder name with a stamp that changes when its timeline does.

    The stamp is empty while the timeline is so new that a change could leave no trace.
    """
    try:
        folder = os.open(incidents, os.O_RDONLY | os.O_DIRECTORY)
    except FileNotFoundError:
        return
    settled = now.timestamp() - SETTLED_S
    try:
        # Names are listed before any is looked at: half of them change while others are written.
        with os.scandir(incidents) as found:
            # A link leads to what somebody keeps elsewhere.
            names = sorted(entry.name for entry in found if not entry.is_symlink())
        for name in names:
            if not name.startswith("."):
                stamp = _stamp(name, folder, settled)
                if stamp is not None:
                    yield name, stamp
    finally:
        os.close(folder)


def newest_first(incidents: Path, names: Iterable[str]) -> list[str]:
    """Return incidents by when their timelines were written last; what cannot be seen is last."""
    return sorted(names, key=lambda name: (-_written(incidents, name), name))


def _written(incidents: Path, name: str) -> int:
    try:
        return IncidentFolder(incidents / name).timeline.stat().st_mtime_ns
    except OSError:
        return 0


def _stamp(name: str, folder: int, settled: float) -> str | None:
    """Return the stamp of a timeline, and None for what is no incident."""
    try:
        found = os.stat(f"{name}/{TIMELINE}", dir_fd=folder)
    except NotADirectoryError:
        return None
    except OSError as error:
        return f"{MISSING} {error.errno}" if _was_incident(name, folder) else None
    if max(found.st_mtime, found.st_ctime) > settled:
        return ""
    return f"{found.st_size} {found.st_mtime_ns} {found.st_ctime_ns} {found.st_ino}"


def _was_incident(name: str, folder: int) -> bool:
    """Tell whether a folder without a readable timeline held one, by its name or what is left."""
    if _NUMBERED.fullmatch(name):
        return True
    for file in RECORDED:
        try:
            os.stat(f"{name}/{file}", dir_fd=folder)
        except FileNotFoundError:
            continue
        except OSError:
            return True
        return True
    return False
