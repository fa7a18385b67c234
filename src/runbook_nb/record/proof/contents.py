"""What a record holds: every file of its folder with its SHA-256."""

import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from runbook_nb.timeline.folder import CHECKPOINTS, ENVELOPE, TURN, WORKING

_EMPTY: Final = hashlib.sha256(b"").hexdigest()


@dataclass(frozen=True, kw_only=True)
class Content:
    """One file of a record: its path within the folder, SHA-256 and size in bytes.

    The hash is empty for what cannot be read.
    """

    path: str
    sha256: str
    size: int


def contents_of(folder: Path) -> list[Content]:
    """Return all that lies in a record's folder but its envelope, in the order of their paths.

    Hidden files, links, pipes and empty folders are in it too: what is left out could carry
    something unseen. Left out are the lock, while it is empty, and the working copies: an open tab
    saves them on after the close, and what was run in them is kept under the runs.
    """
    found = (_content(path.relative_to(folder), path) for path in _all_of(folder))
    return sorted(
        (each for each in found if _is_sealed(each)),
        key=lambda each: each.path,
    )


def without_copies(contents: Sequence[Content], *, of: Sequence[Content]) -> list[Content]:
    """Leave out an editor's copies that hold nothing but what another file holds.

    JupyterLab makes one when a reviewer only looks at a notebook.
    """
    known = {each.sha256 for each in of if not _is_checkpoint(each)}
    return [each for each in contents if not _is_checkpoint(each) or each.sha256 not in known]


def _all_of(folder: Path) -> Iterator[Path]:
    """Go through all that is no readable folder; a link to a folder is a link."""
    unread: list[Path] = []
    for at, folders, files in os.walk(
        folder, onerror=lambda error: unread.append(Path(error.filename))
    ):
        yield from (Path(at, name) for name in files)
        if not files and not folders and Path(at) != folder:
            yield Path(at)
        yield from (Path(at, name) for name in folders if Path(at, name).is_symlink())
    yield from (path for path in unread if path != folder)


def _content(name: Path, path: Path) -> Content:
    if path.is_symlink():
        # A link is told as a link: what it leads to is not part of the record.
        target = b"link to " + os.fsencode(path.readlink())
        return Content(path=_said(name), sha256=hashlib.sha256(target).hexdigest(), size=0)
    if not path.is_file() and not path.is_dir():
        # Reading a pipe or a device may never end.
        return Content(path=_said(name), sha256=hashlib.sha256(b"no file").hexdigest(), size=0)
    if path.is_dir() and os.access(path, os.R_OK | os.X_OK):
        return Content(path=f"{_said(name)}/", sha256=_EMPTY, size=0)
    try:
        with path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            return Content(path=_said(name), sha256=sha256, size=file.tell())
    except OSError:
        return Content(path=_said(name), sha256="", size=0)


def _said(name: Path) -> str:
    """Return a path as it can be printed and signed, whatever bytes its name has."""
    return "".join(
        mark if mark.isprintable() and mark != "\\" else mark.encode("unicode_escape").decode()
        for mark in name.as_posix()
    )


def _is_sealed(content: Content) -> bool:
    is_lock = content.path == TURN and content.sha256 == _EMPTY
    first = content.path.split("/", maxsplit=1)[0]
    return not is_lock and first != WORKING and content.path != ENVELOPE


def _is_checkpoint(content: Content) -> bool:
    return CHECKPOINTS in content.path.split("/")[:-1]
