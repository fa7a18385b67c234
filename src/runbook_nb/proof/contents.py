"""What a record holds: every file of its folder with its SHA-256."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PAGE: Final = "record.html"
FACTS: Final = "record.json"
TIMELINE: Final = "timeline.jsonl"
ENVELOPE: Final = "record.dsse.json"
# Where responders work by hand; the close keeps a copy of it under runs/, which is what counts.
WORKING: Final = "working"
_EDITORS: Final = ".ipynb_checkpoints"


@dataclass(frozen=True, kw_only=True)
class Content:
    """One file of a record: its path within the folder, SHA-256 and size in bytes."""

    path: str
    sha256: str
    size: int


def contents_of(folder: Path) -> list[Content]:
    """Return every file of a record but its envelope, in the order of their paths.

    Left out are the working copies, what an editor keeps beside a notebook, and locks, as long
    as these are empty: a hidden file with something in it is a file like any other.
    """
    paths = (path for path in sorted(folder.rglob("*")) if path.is_file() or path.is_symlink())
    named = ((path.relative_to(folder), path) for path in paths)
    return [_content(name, path) for name, path in named if not _left_out(name, path)]


def _left_out(name: Path, path: Path) -> bool:
    if name.parts[0] == WORKING or str(name) == ENVELOPE:
        return True
    if path.is_symlink():
        return False
    if len(name.parts) > 1 and name.parts[-2] == _EDITORS and path.suffix == ".ipynb":
        return True
    return name.name.startswith(".") and path.stat().st_size == 0


def _content(name: Path, path: Path) -> Content:
    if path.is_symlink():
        # A link is told as a link: what it leads to is not part of the record.
        target = str(path.readlink()).encode()
        sha256 = hashlib.sha256(b"link to " + target).hexdigest()
        return Content(path=str(name), sha256=sha256, size=0)
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        return Content(path=str(name), sha256=sha256, size=file.tell())
