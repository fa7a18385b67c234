"""A team's project: the file that says where its notebooks, incidents, templates and packs are.

It is the nearest folder upwards with ``runbook.toml``, or with a ``pyproject.toml`` that has
``[tool.runbook]``; ``RUNBOOK_PROJECT`` names another one.
"""

import os
import stat
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from runbook_nb.errors import ProjectError, near

FILE: Final = "runbook.toml"
SHARED_FILE: Final = "pyproject.toml"
_FOLDERS: Final = ("notebooks", "incidents", "templates")
_LISTS: Final = {"packs": '["my_team.runbooks:PACK"]', "src": '["src"]'}
_TABLES: Final = {
    "environments": "[environments.staging.database]",
    "people": '[people."ada@company.com"]',
    "store": "[store]",
    "serve": "[serve]",
}
_KNOWN: Final = (*_FOLDERS, *_LISTS, *_TABLES)


@dataclass(frozen=True, kw_only=True)
class Project:
    """A folder of a team's own, and what its file says.

    ``src`` are the folders from which the project's own package is imported, ``packs`` names such
    as ``my_team.runbooks:PACK``, ``environments`` the settings of systems by environment, and
    ``said`` the keys that the file names itself.
    """

    root: Path
    file: Path
    notebooks: Path
    incidents: Path
    templates: Path
    packs: tuple[str, ...]
    src: tuple[Path, ...]
    environments: Mapping[str, Any]
    people: Mapping[str, Any]
    store: Mapping[str, Any]
    serve: Mapping[str, Any]
    said: frozenset[str]

    @classmethod
    def find(
        cls, start: Path | None = None, environ: Mapping[str, str] = os.environ
    ) -> "Project | None":
        """Return the nearest project upwards; raises ProjectError where its file is wrong."""
        if named := environ.get("RUNBOOK_PROJECT"):
            project = cls.read(Path(named).absolute())
            if project is None:
                message = f"RUNBOOK_PROJECT is {named}, and no {FILE} is there. {_NEXT}"
                raise ProjectError(message)
            return project
        first = (start or Path.cwd()).absolute()
        found = (cls.read(folder) for folder in (first, *first.parents))
        return next((project for project in found if project), None)

    @classmethod
    def read(cls, root: Path) -> "Project | None":
        """Read the project in exactly this folder; None where there is none."""
        if _is_everybodys(root):
            return None
        for file in (root / FILE, root / SHARED_FILE):
            settings = _settings(file)
            if settings is not None:
                return cls._of(root, file, settings)
        return None

    @classmethod
    def _of(cls, root: Path, file: Path, settings: Mapping[str, Any]) -> "Project":
        for key, value in settings.items():
            _check(file, key, value)
        folders = {name: root / settings.get(name, name) for name in _FOLDERS}
        return cls(
            root=root,
            file=file,
            **folders,
            packs=tuple(settings.get("packs", ())),
            src=tuple(root / each for each in settings.get("src", ("src",))),
            environments=settings.get("environments", {}),
            people=settings.get("people", {}),
            store=settings.get("store", {}),
            serve=settings.get("serve", {}),
            said=frozenset(settings),
        )

    def put_on_path(self) -> None:
        """Make the project's own package importable in this process."""
        sys.path[:0] = [folder for folder in map(str, self.src) if folder not in sys.path]

    def to_environ(self, environ: Mapping[str, str] = os.environ) -> dict[str, str]:
        """Return the variables that hand the project to another process, such as a kernel."""
        inherited = environ.get("PYTHONPATH", "").split(os.pathsep)
        path = dict.fromkeys([*map(str, self.src), *filter(None, inherited)])
        return {"RUNBOOK_PROJECT": str(self.root), "PYTHONPATH": os.pathsep.join(path)}


_NEXT: Final = "Go to the project's folder, or make a project: runbook init"


def demand_project() -> Project:
    """Return the project here; raises ProjectError where there is none."""
    project = Project.find()
    if project is None:
        message = f"No project here (no {FILE} upwards), so nothing was written. {_NEXT}"
        raise ProjectError(message)
    return project


def handed_on(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the variables that hand on the project here; none where there is none."""
    project = Project.find(environ=environ)
    return project.to_environ(environ) if project else {}


def _is_everybodys(folder: Path) -> bool:
    """Tell a folder where every user may put a file, such as /tmp: a project runs its code."""
    try:
        mode = folder.stat().st_mode
    except OSError:
        return False
    return bool(mode & stat.S_IWOTH and mode & stat.S_ISVTX)


def _settings(file: Path) -> Mapping[str, Any] | None:
    """Return what a file says of the project; None where it is missing or says nothing."""
    shared = file.name == SHARED_FILE
    try:
        text = file.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        # Another tool's file is no reason to stop; ours is.
        if shared:
            return None
        message = f"{file} cannot be read: {error}."
        raise ProjectError(message) from error
    if shared and "tool.runbook" not in text:
        return None
    try:
        told = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        message = f"{file} is not TOML: {error}."
        raise ProjectError(message) from error
    settings = told.get("tool", {}).get("runbook") if shared else told
    if not isinstance(settings, dict | None):
        message = f"{file}: [tool.runbook] is a table, and not {settings!r}."
        raise ProjectError(message)
    return settings


def _check(file: Path, key: str, value: object) -> None:
    """Raise ProjectError for a key that is not known, or a value of the wrong type."""
    if key not in _KNOWN:
        message = f"{file}: no setting is named {key!r}. {near(key, _KNOWN)}"
    elif key in _FOLDERS and not (isinstance(value, str) and value):
        message = f'{file}: {key} is a folder, such as {key} = "{key}", and not {value!r}.'
    elif key in _LISTS and not _is_texts(value):
        message = f"{file}: {key} is a list of texts, such as {key} = {_LISTS[key]}, not {value!r}."
    elif key in _TABLES and not isinstance(value, dict):
        message = f"{file}: {key} are tables, such as {_TABLES[key]}."
    else:
        return
    raise ProjectError(message)


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) and each for each in value)
