"""Names of runbooks: what they look like, and that none is taken twice."""

import re
from pathlib import Path
from typing import Final

from runbook_nb.errors import RunbookFormatError

_NAME = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*")
_LONGEST: Final = 60  # characters, so that name and fault fit into a file name
# Files that hold a runbook and are not named for it, and files of this folder that are none.
_NAMELESS: Final = frozenset(("readme", "index", "runbook", "playbook"))


def demand_name(name: str) -> None:
    """Raise RunbookFormatError unless a name can be that of a runbook."""
    if not _NAME.fullmatch(name) or len(name) > _LONGEST or name in _NAMELESS:
        near = snake_case(name)
        fix = f" For instance {near!r}." if near and near != name else ""
        message = (
            f"{name!r} is no name for a runbook: small letters, digits and single underscores, "
            f"at most {_LONGEST} characters, a letter first, and not README or index.{fix}"
        )
        raise RunbookFormatError(message)


def demand_free(name: str, *, folder: Path) -> None:
    """Raise RunbookFormatError where a runbook, live or archived, or a drill has that name."""
    files = (folder / f"{name}.md", folder / f"{name}.ipynb")
    archived = (folder / "archived" / file.name for file in files)
    for path in (*files, *archived, *sorted((folder / "drills").glob(f"{name}.*.json"))):
        if path.exists():
            message = f"There is a {path} already. Choose another name; nothing was written."
            raise RunbookFormatError(message)


def snake_case(words: str) -> str:
    """Return words as a name; empty where nothing in them can be one."""
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", words)
    name = re.sub(r"[^a-z0-9]+", "_", parted.lower()).strip("_").lstrip("0123456789_")
    name = name[:_LONGEST].rstrip("_")
    return "" if name in _NAMELESS else name
