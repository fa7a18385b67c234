"""Working copies: a runbook, or what a machine has run of it, put where a responder works."""

import ast
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from runbook_nb.errors import RunbookError
from runbook_nb.incident.context import WorkingCopy
from runbook_nb.incident.declaration import declaration_of, ran_with
from runbook_nb.probes.lab_settings import LAB
from runbook_nb.runbook.cells import Cell
from runbook_nb.runbook.document import Document
from runbook_nb.runbook.parameters import typed
from runbook_nb.runbook.runbook import Runbook
from runbook_nb.text.files import write_atomically
from runbook_nb.text.values import Json
from runbook_nb.timeline.events import Alert, Started
from runbook_nb.timeline.folder import IncidentFolder
from runbook_nb.timeline.log import Timeline

_UNSAFE: Final = re.compile(r"[^A-Za-z0-9_.]+")


@dataclass(frozen=True, kw_only=True)
class Opening:
    """A working copy that is ready, and in a sentence what it was made of."""

    copy: WorkingCopy
    incident: str
    made_of: str


def prepare(
    runbook: Runbook,
    *,
    incidents: Path,
    incident: str | None,
    parameters: Mapping[str, Json],
    by: str,
    alerts: Sequence[Alert] = (),
    reported: str = "",
) -> Opening:
    """Declare or join the incident and put a working copy of ``by`` into its folder.

    What somebody ``reported`` in words goes onto its timeline.

    A working copy that is there already stays: the responder's outputs and notes are in it. Each
    responder has one of their own, so that two never save over each other. Where a machine has
    run this text, its outputs are in the copy. Raises ParameterError before anything is created.
    """
    declaration, values = declaration_of(runbook, parameters, by=by)
    timeline = declaration.declare(
        incidents,
        incident=incident,
        alert=next(iter(alerts), None),
        also=alerts[1:],
        reported=reported,
    )
    folder = timeline.folder
    path = _place(folder, runbook.name, by)
    copy = WorkingCopy(path=path, runbook=runbook.name, by=by)
    if path.exists():
        made_of = "your working copy, as you left it"
        return Opening(copy=copy, incident=folder.name, made_of=made_of)
    executed, made_of = _executed(timeline, runbook)
    if executed is not None:
        values = typed(runbook, {**ran_with(_last_run(timeline, runbook), runbook), **parameters})
    values["incident_id"] = folder.name
    write_atomically(path, _filled(executed or runbook.path, values, by=by))
    return Opening(copy=copy, incident=folder.name, made_of=made_of)


def environment_of(notebook: Path) -> str | None:
    """Return the environment that the cells of a working copy name; None for any other file."""
    if WorkingCopy.read(notebook) is None:
        return None
    found = LAB
    for cell in Document.read(notebook).cells:
        if cell.is_code and {"parameters", "injected-parameters"} & {*cell.tags}:
            found = _assigned(cell, "environment") or found
    return found


def _assigned(cell: Cell, name: str) -> str | None:
    """Return the text that a cell gives a name."""
    for statement in cell.statements:
        targets = statement.targets if isinstance(statement, ast.Assign) else []
        targets = [statement.target] if isinstance(statement, ast.AnnAssign) else targets
        value = getattr(statement, "value", None)
        if any(isinstance(each, ast.Name) and each.id == name for each in targets):
            return (
                value.value
                if isinstance(value, ast.Constant) and isinstance(value.value, str)
                else None
            )
    return None


def _place(folder: IncidentFolder, runbook: str, by: str) -> Path:
    """Return where the copy of a responder is or will be; the first to come has the plain name."""
    plain = folder.working_copy(f"{runbook}.ipynb")
    own = folder.working_copy(f"{_UNSAFE.sub('_', by)}-{runbook}.ipynb")
    taken = WorkingCopy.read(plain) if plain.exists() else None
    return plain if not plain.exists() or (taken and taken.by == by) else own


def _executed(timeline: Timeline, runbook: Runbook) -> tuple[Path | None, str]:
    """Return the newest executed copy of this very text, and what the working copy is made of."""
    started = _last_run(timeline, runbook)
    if started is None:
        return None, "a fresh copy of the runbook"
    when = f"the run of {started.at:%Y-%m-%d %H:%MZ} by {started.by}"
    path = timeline.folder.executed(started.run)
    try:
        same = Runbook.read(path).digest == runbook.digest
    except (RunbookError, OSError):
        return None, f"a fresh copy of the runbook: the copy of {when} cannot be read"
    if not same:
        return None, f"a fresh copy of the runbook: its text has changed since {when}"
    return path, f"{when}, with its cards in place"


def _last_run(timeline: Timeline, runbook: Runbook) -> Started | None:
    """Return the newest run of this runbook that no responder attended."""
    return timeline.last(Started, runbook=runbook.name, attended=False)


def _filled(source: Path, values: Mapping[str, Json], *, by: str) -> str:
    """Return a notebook with its parameters set, as papermill sets them, and its code folded."""
    document = Document.read(source)
    notebook, own = document.stored, document.own_cells
    place = next(number for number, cell in enumerate(own, start=1) if "parameters" in cell.tags)
    cells: list[Any] = [cell.stored for cell in own]
    lines = [f"{name} = {value!r}" for name, value in values.items()]
    injected: dict[str, Any] = {
        "cell_type": "code",
        "execution_count": None,
        "id": "injected-parameters",
        "metadata": {"tags": ["injected-parameters"]},
        "outputs": [],
        "source": "\n".join(["# Parameters", *lines]),
    }
    cells.insert(place, injected)
    for cell in cells:
        _settle(cell)
    # The pair's own metadata would make an editor write a Markdown twin of the working copy.
    metadata = {
        name: value
        for name, value in notebook["metadata"].items()
        if name not in ("jupytext", "papermill")
    }
    metadata["working_copy"] = {"by": by}
    filled = {**notebook, "cells": cells, "metadata": metadata}
    return json.dumps(filled, indent=1, ensure_ascii=False) + "\n"


def _settle(cell: dict[str, Any]) -> None:
    """Fold a cell's code, one click away, and drop what another run said of itself."""
    for name in ("papermill", "execution"):
        cell["metadata"].pop(name, None)
    if cell["cell_type"] == "code":
        cell["execution_count"] = None
        folding = cell["metadata"].setdefault("jupyter", {})
        folding["source_hidden"] = True
        for output in cell["outputs"]:
            if "execution_count" in output:
                output["execution_count"] = None
