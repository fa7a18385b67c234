"""A runbook, read from its pair without running it."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from runbook_nb.errors import RunbookFormatError, RunbookNotFoundError, near
from runbook_nb.probes.lab_settings import LAB
from runbook_nb.runbook.document import Document
from runbook_nb.runbook.folders import runbooks_folder
from runbook_nb.runbook.parameters import Parameter, read_parameters
from runbook_nb.runbook.steps import Step, read_imports, read_steps
from runbook_nb.timeline.events import Alert

# The folder of retired runbooks, inside that of the live ones.
ARCHIVED: Final = "archived"
_LOG: Final = logging.getLogger("runbook_nb")


@dataclass(frozen=True, kw_only=True)
class Runbook:
    """A paired notebook that answers one failure.

    ``front`` is the front matter's ``runbook`` entry, ``digest`` the SHA-256 of the text of all
    cells, which changes with any word of it and not with outputs. ``imports`` are the modules that
    its cells take calls from, the engine's public face left out.
    """

    name: str
    path: Path
    front: Mapping[str, Any]
    steps: tuple[Step, ...]
    headings: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    digest: str
    imports: tuple[str, ...] = ()

    @classmethod
    def read(cls, path: Path) -> "Runbook":
        """Read a notebook file, ``.ipynb`` or ``.md``; raises RunbookFormatError."""
        document = Document.read(path)
        if "name" not in document.front:
            message = (
                f"{path}: no `runbook` entry with a name in the front matter. "
                "Only a notebook that `runbook fmt` wrote has one."
            )
            raise RunbookFormatError(message)
        cells = document.own_cells
        steps, seen = read_steps(cells)
        try:
            parameters = read_parameters(cells, document.front.get("parameters"))
        except RunbookFormatError as error:
            message = f"{path}: {error}"
            raise RunbookFormatError(message) from error
        return cls(
            name=document.front["name"],
            path=path,
            front=document.front,
            steps=tuple(steps),
            headings=tuple(seen),
            parameters=tuple(parameters),
            digest=document.digest,
            imports=read_imports(cells),
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
        """Read all runbooks of a folder, by name; one that cannot be read is named and left out."""
        found, unreadable = _readable(folder or runbooks_folder())
        for problem in unreadable:
            _LOG.warning("Passed over: %s", problem)
        return found

    @classmethod
    def for_alert(cls, alert: Alert, folder: Path | None = None) -> "Runbook":
        """Return the runbook that answers an alert; raises RunbookNotFoundError if none does."""
        every, unreadable = _readable(folder or runbooks_folder())
        found = [runbook for runbook in every if alert.name in runbook.front.get("alerts", ())]
        if len(found) == 1:
            return found[0]
        if found:
            names = ", ".join(runbook.name for runbook in found)
            message = f"Alert {alert.name!r} is answered by more than one runbook: {names}."
            raise RunbookFormatError(message)
        known = (name for runbook in every for name in runbook.front.get("alerts", ()))
        message = f"No runbook answers the alert {alert.name!r}. {near(alert.name, known)}"
        raise RunbookNotFoundError(" ".join([message, *(f"Passed over: {p}" for p in unreadable)]))

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


def stray_copy(runbook: Runbook) -> str:
    """Say that a file is a copy of a runbook under another name; empty for a runbook itself.

    JupyterLab makes ``x-Copy1.ipynb`` of ``x.ipynb``, and both would answer the same alerts.
    """
    own = str(runbook.front.get("name", ""))
    if own in ("", runbook.path.stem):
        return ""
    return f"{runbook.path} names itself {own!r}: it is a copy. Rename it within, or delete it."


def _readable(folder: Path) -> tuple[list[Runbook], list[str]]:
    """Return the runbooks of a folder that can be read, and why each other one cannot."""
    found: list[Runbook] = []
    unreadable: list[str] = []
    for path in sorted(folder.glob("*.ipynb")):
        try:
            runbook = Runbook.read(path)
            if stray := stray_copy(runbook):
                unreadable.append(stray)
            else:
                found.append(runbook)
        except RunbookFormatError as error:
            unreadable.append(str(error))
        except OSError as error:
            unreadable.append(f"{path}: {error.strerror}.")
    return found, unreadable
