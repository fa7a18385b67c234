"""Copies of the records in the site: whole, so that each can be verified where the site is."""

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from runbook_nb.record.proof import contents_of
from runbook_nb.record.site.proofs import Proof
from runbook_nb.timeline.folder import ENVELOPE, PAGE

RECORDS: Final = "incidents"


def copy_record(folder: Path, to: Path, proof: Proof) -> None:
    """Replace the copy of a record; a page that is not as it was sealed is left out.

    So is what is no readable file: a link could lead a web host to any file of its machine.
    """
    remove_tree(to)
    if not (proof.is_shown or proof.problems):
        return
    for name in _files(folder):
        if name != PAGE or proof.is_shown:
            target = to / name
            target.parent.mkdir(parents=True, exist_ok=True)
            with contextlib.suppress(OSError):
                shutil.copyfile(folder / name, target)


def copy_stamp(to: Path) -> str:
    """Return a stamp of a copied page: one that was altered in the site is copied again."""
    try:
        found = (to / PAGE).lstat()
    except OSError:
        return "none"
    return f"{found.st_size} {found.st_mtime_ns}"


def remove_tree(folder: Path) -> None:
    """Remove a folder of ours, or what stands in its place."""
    if folder.is_symlink() or folder.is_file():
        folder.unlink()
    elif folder.exists():
        shutil.rmtree(folder)


def _files(folder: Path) -> Iterator[str]:
    for name in (*(content.path for content in contents_of(folder)), ENVELOPE):
        path = folder / name
        if path.is_file() and not path.is_symlink():
            yield name
