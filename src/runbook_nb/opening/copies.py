"""Working copies: the notebook a responder runs, in the incident's folder; never the master.

Where a machine has diagnosed before, its executed copy is continued: the cards stand in place.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from runbook_nb.context import RunContext, new_run_id
from runbook_nb.environment import Environment
from runbook_nb.errors import RunbookError
from runbook_nb.files import write_atomically
from runbook_nb.incidents import declare
from runbook_nb.model import Alert, Json
from runbook_nb.parameters import typed
from runbook_nb.runbook import Runbook


def prepare(
    runbook: Runbook,
    *,
    incidents: Path,
    incident: str | None,
    parameters: Mapping[str, Json],
    by: str,
    alert: Alert | None = None,
) -> RunContext:
    """Declare or join the incident and put a working copy into its folder.

    A working copy that is there already stays: the responder's outputs and notes are in it.
    Raises ParameterError before anything is created.
    """
    values = typed(runbook, parameters)
    environment = Environment.load(str(values.get("environment", "lab")))
    timeline = declare(
        incidents,
        incident=incident,
        title=(alert.summary if alert else "") or runbook.title,
        severity=str(runbook.front["severity"]),
        runbook=runbook.name,
        environment=environment.name,
        by=by,
        alert=alert,
        redactor=environment.redactor(allowed=runbook.contacts),
    )
    folder = timeline.path.parent
    copy = folder / "working" / runbook.path.name
    if not copy.exists():
        values["incident_id"] = folder.name
        executed = None if parameters else _executed(folder, runbook)
        notebook = executed or _filled(runbook.path, values)
        write_atomically(copy, json.dumps(_folded(notebook), indent=1, ensure_ascii=False) + "\n")
        if executed:
            _trust(copy)
    return RunContext(
        incidents=incidents,
        incident=folder.name,
        run=new_run_id(runbook.name),
        notebook=copy,
        actor=by,
        attended=True,
    )


def _executed(folder: Path, runbook: Runbook) -> dict[str, Any] | None:
    """Return the newest executed copy of the same text; None where there is none."""
    for path in sorted((folder / "runs").glob(f"*Z-{runbook.name}.ipynb"), reverse=True):
        try:
            if Runbook.read(path).digest == runbook.digest:
                notebook: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
                return notebook
        except (RunbookError, OSError, ValueError):
            continue
    return None


def _trust(copy: Path) -> None:
    """Sign the machine's outputs, so that JupyterLab shows its cards as they are.

    They were masked and written by our own run; nobody else writes into this folder.
    """
    from runbook_nb.lean import lean_imports

    lean_imports()
    import nbformat
    from nbformat.sign import NotebookNotary

    NotebookNotary().sign(nbformat.read(copy, as_version=4))


def _folded(notebook: dict[str, Any]) -> dict[str, Any]:
    """Fold the code of each cell, one click away, and drop what ties the copy to its master."""
    for cell in notebook["cells"]:
        cell["metadata"].pop("papermill", None)
        if cell["cell_type"] == "code":
            cell["metadata"]["jupyter"] = {"source_hidden": True}
    # The pair's own metadata would make JupyterLab write a Markdown twin of the working copy.
    notebook["metadata"].pop("jupytext", None)
    notebook["metadata"].pop("papermill", None)
    return notebook


def _filled(master: Path, values: Mapping[str, Json]) -> dict[str, Any]:
    """Return the notebook with an injected cell that sets the parameters, as papermill does."""
    notebook: dict[str, Any] = json.loads(master.read_text(encoding="utf-8"))
    place = next(
        number
        for number, cell in enumerate(notebook["cells"], start=1)
        if "parameters" in cell["metadata"].get("tags", ())
    )
    lines = [f"{name} = {value!r}" for name, value in values.items()]
    injected: dict[str, object] = {
        "cell_type": "code",
        "execution_count": None,
        "id": "injected-parameters",
        "metadata": {"tags": ["injected-parameters"]},
        "outputs": [],
        "source": "\n".join(["# Parameters", *lines]),
    }
    notebook["cells"].insert(place, injected)
    return notebook
