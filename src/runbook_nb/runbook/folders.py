"""Where runbooks and templates are: a setting, the project's own, or those that are shipped."""

import os
from pathlib import Path
from typing import Final

from runbook_nb.errors import ProjectError
from runbook_nb.project import Project, demand_project

_PACKAGE: Final = Path(__file__).parents[1]
_SHIPPED: Final = "using the runbooks shipped with runbook_nb."


def runbooks_folder() -> Path:
    """Return the folder of runbooks in use: a setting, the project's own, or those shipped."""
    if configured := os.environ.get("RUNBOOK_NOTEBOOKS"):
        return Path(configured)
    project = Project.find()
    return project.notebooks if project and _has_own(project) else _shipped("notebooks")


def own_runbooks_folder(*, begin: bool = False) -> Path:
    """Return the folder that runbooks are written into; raises ProjectError outside a project.

    The runbooks of the installed package are never written: an upgrade would take the edits.
    With ``begin`` the folder need not be there yet.
    """
    if configured := os.environ.get("RUNBOOK_NOTEBOOKS"):
        return Path(configured)
    project = demand_project()
    if not (begin or project.notebooks.is_dir()):
        message = f"{project.root} has no runbooks yet. Begin one: runbook new NAME"
        raise ProjectError(message)
    return project.notebooks


def templates_folder(kind: str) -> Path:
    """Return the templates of a kind, such as ``record``: those of the project where it has any."""
    if configured := os.environ.get("RUNBOOK_TEMPLATES"):
        return Path(configured) / kind
    project = Project.find()
    own = project.templates / kind if project else None
    return own if own and own.is_dir() else _shipped("templates") / kind


def whose_runbooks() -> str:
    """Say whose runbooks are in use, in a sentence; empty where they are the project's own."""
    project = Project.find()
    if configured := os.environ.get("RUNBOOK_NOTEBOOKS"):
        own = project and project.notebooks.resolve() == Path(configured).resolve()
        return "" if own else f"Using the runbooks in {configured} (RUNBOOK_NOTEBOOKS)."
    if project is None:
        return f"No project here (no runbook.toml upwards): {_SHIPPED}"
    return "" if _has_own(project) else f"{project.file} has no folder of notebooks: {_SHIPPED}"


def _has_own(project: Project) -> bool:
    """Tell whether the project has runbooks; raises ProjectError where it names a missing folder.

    A file that holds settings of environments alone has none, and serves the shipped ones.
    """
    if not project.notebooks.is_dir() and "notebooks" in project.said:
        message = f"{project.file}: notebooks is {project.notebooks}, and there is no such folder."
        raise ProjectError(message)
    return project.notebooks.is_dir()


def _shipped(name: str) -> Path:
    """Return a folder of the installed package, or of the checkout that it is run from."""
    folder = _PACKAGE / "shipped" / name
    return folder if folder.is_dir() else _PACKAGE.parents[1] / name
