"""The unattended run of the heartbeat runbook, against the same queries without it.

Needs the running lab. The three cases ask the same systems the same questions: the runbook by
``runbook run``; plain papermill on the notebook with each verb replaced by its bare query; and a
plain script of those queries.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from measure import interleaved, show

from runbook_nb.runbook.cells import Cell
from runbook_nb.runbook.runbook import Runbook

NAME = "heartbeat_failure_recovery"
SETUP = """
from datetime import timedelta
from runbook_nb.durations import hours, seconds
from runbook_nb.environment import Environment
from runbook_nb.packs.control_plane.systems import agent, heartbeats, edge, sessions, streams
window_s = 30
place = Environment.load("lab")
def read(probe):
    systems = place.reading([])
    try:
        return probe.read(systems).value
    except Exception as error:
        return repr(error)
    finally:
        systems.close()
"""
# JupyterLab brings a module along that costs every process with nbformat two seconds.
LEAN = """
import sys
sys.modules["rfc3987_syntax"] = None
from papermill.cli import papermill
papermill()
"""


def bare_cells(runbook: Runbook) -> list[str]:
    """Return the queries of all checks and verifications, in the order of the notebook."""
    calls = {step.title: step.call for step in runbook.steps if step.verb == "check"}
    asked = [step.title for step in runbook.steps if step.verb in ("check", "verify")]
    return [f"read({calls[title]})" for title in asked]


def bare_notebook(runbook: Runbook, folder: Path) -> Path:
    """Write the notebook with bare queries; its prose stays."""
    notebook = json.loads(runbook.path.read_text(encoding="utf-8"))
    cells, queries = [], iter(bare_cells(runbook))
    verbs = {step.cell: step.verb for step in runbook.steps}
    for number, cell in enumerate(notebook["cells"]):
        if cell["cell_type"] == "code":
            verb = verbs.get(number)
            if verb in ("check", "verify"):
                cell["source"] = next(queries)
            elif "Incident.open" in Cell.of(cell).source:
                cell["source"] = SETUP
            elif verb:
                cell["source"] = "None"
        cells.append(cell)
    path = folder / "bare.ipynb"
    path.write_text(json.dumps({**notebook, "cells": cells}), encoding="utf-8")
    return path


def main() -> None:
    """Run the three cases in turn."""
    runbook = Runbook.find(NAME)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        bare = bare_notebook(runbook, folder)
        script = folder / "script.py"
        script.write_text(SETUP + "\n".join(bare_cells(runbook)), encoding="utf-8")
        environ = {**os.environ, "RUNBOOK_INCIDENTS": str(folder / "incidents")}

        def run(*arguments: str) -> None:
            subprocess.run(
                [sys.executable, *arguments],
                env=environ,
                check=False,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )

        ours = ("-m", "runbook_nb", "run", NAME, "-p", "window_s=30")
        medians = interleaved(
            {
                "plain script": lambda: run(str(script)),
                "plain papermill": lambda: run(
                    "-m", "papermill", str(bare), str(folder / "out.ipynb"), "-k", "python3"
                ),
                "plain papermill, lean imports": lambda: run(
                    "-c", LEAN, str(bare), str(folder / "out.ipynb"), "-k", "python3"
                ),
                "runbook run": lambda: run(*ours),
            },
            rounds=5,
        )
    show(medians, against="plain papermill")


if __name__ == "__main__":
    main()
