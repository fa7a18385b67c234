"""A runbook, read from its pair without running it."""

import hashlib
import json
import tokenize
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from runbook_nb.errors import RunbookFormatError, RunbookNotFoundError, near
from runbook_nb.probes.lab_settings import LAB
from runbook_nb.runbook.folders import runbooks_folder
from runbook_nb.runbook.steps import Parameter, Step, read_parameters, read_steps, source_of
from runbook_nb.timeline.events import Alert

# The folder of retired runbooks, inside that of the live ones.
ARCHIVED: Final = "archived"


@dataclass(frozen=True, kw_only=True)
class Runbook:
    """A paired notebook that answers one failure.

    ``front`` is the front matter's ``runbook`` entry, ``digest`` the SHA-256 of the text of all
    cells, which changes with any word of it and not with outputs.
    """

    name: str
    path: Path
    front: Mapping[str, Any]
    steps: tuple[Step, ...]
    headings: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    digest: str

    @classmethod
    def read(cls, path: Path) -> "Runbook":
        """Read a notebook file, ``.ipynb`` or ``.md``; raises RunbookFormatError."""
        notebook = _load(path)
        cells = [cell for cell in notebook["cells"] if not is_injected(cell)]
        front = notebook["metadata"].get("runbook")
        if not front or "name" not in front:
            message = f"{path}: no `runbook` entry with a name in the front matter."
            raise RunbookFormatError(message)
        steps, seen = read_steps(cells)
        return cls(
            name=front["name"],
            path=path,
            front=front,
            steps=tuple(steps),
            headings=tuple(seen),
            parameters=tuple(_parameters(path, cells, front)),
            digest=text_digest(cells),
        )

    @classmethod
    def find(cls, name: str, folder: Path | None = None) -> "Runbook":
        """Read the runbook of that name; raises RunbookNotFoundError with near names.

        A retired one is found where no live one has its name: it still runs, and says so.
        """
        folder = folder or runbooks_folder()
        for place in (folder, folder / ARCHIVED):
            path = place / f"{name}.ipynb"
            if path.parent == place and path.is_file():
                return cls.read(path)
        known = (found.stem for found in folder.glob("*.ipynb"))
        message = f"No runbook named {name!r} in {folder}. {near(name, known)}"
        raise RunbookNotFoundError(message)

    @classmethod
    def every(cls, folder: Path | None = None) -> list["Runbook"]:
        """Read all runbooks of a folder, by name."""
        return [cls.read(path) for path in sorted((folder or runbooks_folder()).glob("*.ipynb"))]

    @classmethod
    def for_alert(cls, alert: Alert, folder: Path | None = None) -> "Runbook":
        """Return the runbook that answers an alert; raises RunbookNotFoundError if none does."""
        every = cls.every(folder)
        found = [runbook for runbook in every if alert.name in runbook.front.get("alerts", ())]
        if len(found) == 1:
            return found[0]
        if found:
            names = ", ".join(runbook.name for runbook in found)
            message = f"Alert {alert.name!r} is answered by more than one runbook: {names}."
            raise RunbookFormatError(message)
        known = (name for runbook in every for name in runbook.front.get("alerts", ()))
        message = f"No runbook answers the alert {alert.name!r}. {near(alert.name, known)}"
        raise RunbookNotFoundError(message)

    @property
    def title(self) -> str:
        """The title without the template's suffix."""
        return str(self.front["title"])

    @property
    def contacts(self) -> tuple[str, ...]:
        """Addresses that may be shown in a record."""
        return tuple(self.front.get("escalation", ()))

    @property
    def retired(self) -> Mapping[str, Any] | None:
        """When and why it was retired, and what stands in its place; None for a live one."""
        found = self.front.get("retired")
        return found if isinstance(found, Mapping) else None

    def step(self, verb: str, title: str) -> Step | None:
        """Return the step of that verb and title."""
        matching = (step for step in self.steps if (step.verb, step.title) == (verb, title))
        return next(matching, None)

    def environment(self, given: Mapping[str, Any]) -> str:
        """Return the name of the environment that it runs in, given some parameters."""
        declared = {parameter.name: parameter.default for parameter in self.parameters}
        return str(given.get("environment", declared.get("environment", LAB)))

    def source(self) -> str:
        """Return the text of its file, which names the systems it imports."""
        return self.path.read_text(encoding="utf-8")

    def options(self) -> list[str]:
        """Return the headings of all options, in order."""
        seen = (heading for heading in self.headings if heading.startswith("Option "))
        return list(dict.fromkeys(seen))


def is_injected(cell: Mapping[str, Any]) -> bool:
    """Tell whether a cell was put in by a run and is not the runbook's own."""
    tags = cell["metadata"].get("tags", ())
    return "injected-parameters" in tags or "papermill-error-cell-tag" in tags


def text_digest(cells: list[dict[str, Any]]) -> str:
    """Return the SHA-256 of kind and source of all cells, outputs left out."""
    text = [[cell["cell_type"], source_of(cell)] for cell in cells]
    return hashlib.sha256(json.dumps(text).encode()).hexdigest()


def _load(path: Path) -> dict[str, Any]:
    """Read a notebook; the Markdown form by jupytext, whose import is slow and thus late."""
    try:
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".md":
            import jupytext

            notebook: dict[str, Any] = jupytext.reads(text, fmt="md")
        else:
            notebook = json.loads(text)
        if not isinstance(notebook["cells"], list):
            raise TypeError
    except (ValueError, KeyError, TypeError) as error:
        message = f"{path} is not a notebook: {error}."
        raise RunbookFormatError(message) from error
    return notebook


def _parameters(
    path: Path, cells: list[dict[str, Any]], front: Mapping[str, Any]
) -> list[Parameter]:
    for cell in cells:
        if cell["cell_type"] == "code" and "parameters" in cell["metadata"].get("tags", ()):
            try:
                return read_parameters(source_of(cell), front.get("parameters", {}))
            except (SyntaxError, ValueError, TypeError, tokenize.TokenError) as error:
                message = f"{path}: the parameters cell cannot be read: {error}."
                raise RunbookFormatError(message) from error
    return []
