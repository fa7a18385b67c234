"""A new project from the template: a runbook, a pack with a lab, and two drills that prove it."""

import tempfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from runbook_nb.authoring.scaffold.new_files import write_files
from runbook_nb.errors import ProjectError
from runbook_nb.project import Project
from runbook_nb.runbook.folders import templates_folder
from runbook_nb.runbook.pair import formatted

_TODAY: Final = "$today"
# A file that a tool would take for its own stands in the template under another name.
_NAMES: Final = {"gitignore": ".gitignore"}
_MOST_NAMED: Final = 3


@dataclass(frozen=True, kw_only=True)
class NewProject:
    """A project that was made: its folder, its files, and its first runbook."""

    root: Path
    files: tuple[Path, ...]
    runbook: str


def begin_project(root: Path, *, now: datetime) -> NewProject:
    """Write a project into a folder; other files there stay as they are.

    Raises ProjectError where the folder is a project already, or has one of the files.
    """
    if Project.read(root):
        message = f"{root} is a project already. Begin a runbook: runbook new NAME"
        raise ProjectError(message)
    template = templates_folder("project")
    texts = {root / each: text for each, text in _texts(template, now).items()}
    if taken := [path for path in texts if path.exists()]:
        named = ", ".join(str(path.relative_to(root)) for path in taken[:_MOST_NAMED])
        more = f" and {len(taken) - _MOST_NAMED} more" if len(taken) > _MOST_NAMED else ""
        message = f"{root} has {named}{more} already. Nothing was written; name another folder."
        raise ProjectError(message)
    write_files(texts)
    runbook = next(path.stem for path in texts if path.suffix == ".ipynb")
    return NewProject(root=root, files=tuple(texts), runbook=runbook)


def _texts(template: Path, now: datetime) -> dict[Path, str]:
    """Return the files of a project by their place in it, the runbook's notebook too."""
    texts: dict[Path, str] = {}
    for path in sorted(template.rglob("*")):
        if not path.is_file() or "__pycache__" in path.parts:
            continue
        text = path.read_text(encoding="utf-8").replace(_TODAY, now.date().isoformat())
        place = path.relative_to(template)
        place = place.with_name(_NAMES.get(place.name, place.name))
        is_runbook = place.suffix == ".md" and place.parent.name == "notebooks"
        texts |= _pair(place, text) if is_runbook else {place: text}
    return texts


def _pair(place: Path, text: str) -> dict[Path, str]:
    with tempfile.TemporaryDirectory() as folder:
        trial = Path(folder) / place.name
        trial.write_text(text, encoding="utf-8")
        return {place.with_suffix(each.suffix): said for each, said in formatted(trial).items()}
