"""Open a runbook by hand: a working copy in the incident's folder, and JupyterLab on it."""

import importlib.util
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

from runbook_nb.context import RunContext, new_run_id
from runbook_nb.environment import Environment
from runbook_nb.errors import RunbookError
from runbook_nb.files import write_atomically
from runbook_nb.incidents import declare
from runbook_nb.model import Json
from runbook_nb.parameters import typed
from runbook_nb.runbook import Runbook
from runbook_nb.saving_by_hand import HOOK


def prepare(
    runbook: Runbook,
    *,
    incidents: Path,
    incident: str | None,
    parameters: Mapping[str, Json],
    by: str,
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
        title=runbook.title,
        severity=str(runbook.front["severity"]),
        runbook=runbook.name,
        environment=environment.name,
        by=by,
        alert=None,
        redactor=environment.redactor(allowed=runbook.contacts),
    )
    folder = timeline.path.parent
    copy = folder / "working" / runbook.path.name
    if not copy.exists():
        values["incident_id"] = folder.name
        write_atomically(copy, _filled(runbook.path, values))
    return RunContext(
        incidents=incidents,
        incident=folder.name,
        run=new_run_id(runbook.name),
        notebook=copy,
        actor=by,
        attended=True,
    )


def start_jupyterlab(context: RunContext, *, browser: bool) -> NoReturn:
    """Become a JupyterLab server on the working copy; does not return."""
    if importlib.util.find_spec("jupyterlab") is None:
        message = (
            "JupyterLab is not installed. Install it with pip install 'runbook-nb[notebook]', "
            f"or open {context.notebook} in any editor of notebooks."
        )
        raise RunbookError(message)
    arguments = [sys.executable, "-m", "jupyterlab"]
    arguments += [
        "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.root_dir={context.notebook.parent}",
        f"--LabApp.default_url=/lab/tree/{context.notebook.name}",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        f"--ContentsManager.pre_save_hook={HOOK}",
    ]
    arguments += [] if browser else ["--no-browser"]
    if os.geteuid() == 0:
        arguments.append("--allow-root")
    environ = {**_settings_of_our_own(context), **os.environ, **context.to_environ()}
    os.execve(sys.executable, arguments, environ)


def _settings_of_our_own(context: RunContext) -> dict[str, str]:
    """Return where JupyterLab keeps settings and layout for incidents: no news, no old tabs.

    A folder of settings that the responder has named stays in force.
    """
    folder = context.incidents / ".jupyterlab"
    wanted = {"fetchNews": "false", "checkForUpdates": False}
    place = folder / "settings" / "@jupyterlab" / "apputils-extension"
    write_atomically(place / "notification.jupyterlab-settings", json.dumps(wanted) + "\n")
    return {
        "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces"),
    }


def _filled(master: Path, values: Mapping[str, Json]) -> str:
    """Return the notebook with an injected cell that sets the parameters, as papermill does."""
    notebook = json.loads(master.read_text(encoding="utf-8"))
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
    # The pair's own metadata would make JupyterLab write a Markdown twin of the working copy.
    notebook["metadata"].pop("jupytext", None)
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"
