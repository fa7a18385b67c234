"""The code that a runbook's calls run, as a digest: an approval holds for no other.

It is over the whole package that each call is imported from: what a call does is spread over the
modules and queries beside it, and a list of them would be as easily wrong as short. It is over
names and contents, so a checkout and what was installed of the same version have the same one.
Libraries that a pack needs are not in it. The project's baselines are: an action makes the platform
what they say.
"""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from runbook_nb.errors import ApprovalError
from runbook_nb.probes.baseline import FOLDER as BASELINES
from runbook_nb.project import Project
from runbook_nb.runbook.packs import places_of
from runbook_nb.runbook.runbook import Runbook

_COMPILED: Final = ("__pycache__",)
# What this process has loaded: a package as it was when a runbook here first asked for it.
_LOADED: dict[tuple[str, ...], str] = {}


def pack_digest(runbook: Runbook) -> str:
    """Return the digest of the packages that a runbook imports its calls from, as they are now.

    SHA-256 in hexadecimal. Empty where one of them is not installed here.
    """
    try:
        places = dict(places_of(module) for module in runbook.imports)
        if (project := Project.find()) and (own := project.notebooks / BASELINES).is_dir():
            # No package has such a name.
            places[f"{own.parent.name}/{BASELINES}"] = (own,)
        content = hashlib.sha256()
        for name in sorted(places):
            for path, file in sorted(_files(places[name])):
                whole = file.read_bytes()
                content.update(f"{name}/{path} {len(whole)}\n".encode())
                content.update(whole)
    except (ImportError, OSError):
        return ""
    return content.hexdigest()


def loaded_code(runbook: Runbook) -> str:
    """Return the digest as it was when this process first asked: by that, its packs were loaded."""
    return _LOADED.setdefault(runbook.imports, pack_digest(runbook))


def running_code(runbook: Runbook) -> str:
    """Return the digest of what runs; raises ApprovalError where the disk has another code by now.

    Empty where it cannot be told.
    """
    loaded = loaded_code(runbook)
    if loaded != pack_digest(runbook):
        message = (
            "The pack's code or a baseline changed since this kernel began, and an approval holds "
            "only for what is known. Restart the kernel, run the opening cell again, and have the "
            "option approved again."
        )
        raise ApprovalError(message)
    return loaded


def _files(places: tuple[Path, ...]) -> Iterator[tuple[str, Path]]:
    """Return the files of a package by their paths in it; what is hidden or compiled is no code.

    Raises OSError for a package that is no files, such as one in an archive, and for a link to a
    folder, whose end cannot be told.
    """
    for place in places:
        if place.is_file():
            yield place.name, place
            continue
        if not place.is_dir():
            raise FileNotFoundError(place)
        for at, folders, files in os.walk(place):
            folders[:] = [each for each in folders if _is_code(each)]
            if linked := next((each for each in folders if Path(at, each).is_symlink()), None):
                raise NotADirectoryError(Path(at, linked))
            for name in filter(_is_code, files):
                file = Path(at, name)
                yield file.relative_to(place).as_posix(), file


def _is_code(name: str) -> bool:
    return not name.startswith(".") and name not in _COMPILED and not name.endswith(".pyc")
