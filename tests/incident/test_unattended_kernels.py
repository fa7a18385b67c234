"""Plain papermill, nbconvert and nbval run a runbook to its end: a kernel that cannot ask knows it.

Each is a real process in a project, started where its notebook is, and told no more than the
incident's id.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from runbook_nb.incident.context import is_attended
from runbook_nb.timeline.events import Acted, Asked, Outcome, Started
from runbook_nb.timeline.incidents import find

pytestmark = pytest.mark.slow

OPEN = """\
from runbook_nb import Incident, at_most
from runbook_nb.testing import RecordingAction, scripted_probe

restart = RecordingAction()
incident = Incident.open(incident_id, runbook="trial", environment="lab")"""
STEPS = (
    'incident.ask("Tell users.", owner="Communications")',
    """\
incident.check("Lag", scripted_probe(9, unit="s"), expect=at_most(5, "s"),
               if_failed="Option A: Restart")""",
    "incident.decide()",
    'incident.act("Restart", restart(), because="Lag", risk="Cut.", undo="None needed.")',
)
TOOLS = {
    "papermill": ("papermill", "trial.ipynb", "out.ipynb", "--log-output"),
    "nbconvert": ("nbconvert", "--to", "notebook", "--execute", "trial.ipynb", "--output", "out"),
    "nbval": ("pytest", "--nbval-lax", "trial.ipynb", "-p", "no:cacheprovider", "-q"),
}


def code(text: str, *tags: str) -> dict[str, Any]:
    ran = {"execution_count": None, "outputs": [], "id": f"c{abs(hash(text))}"[:12]}
    return {"cell_type": "code", "metadata": {"tags": list(tags)}, "source": text, **ran}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with one runbook that asks a person and wants to act."""
    (tmp_path / "runbook.toml").write_text('incidents = "kept"')
    heading = {"cell_type": "markdown", "metadata": {}, "id": "h1"}
    cells = [
        {**heading, "source": "# Trial — Operational Procedure\n\n## Diagnosis"},
        code('incident_id: str = "INC-7"', "parameters"),
        code(OPEN),
        *map(code, STEPS[:3]),
        {**heading, "source": "### Option A: Restart", "id": "h2"},
        code(STEPS[3]),
    ]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    front = {"name": "trial", "title": "Trial", "severity": "SEV2"}
    text = {
        "cells": cells,
        "metadata": {"runbook": front, "kernelspec": kernel},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks" / "trial.ipynb").write_text(json.dumps(text), encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("words", TOOLS.values(), ids=TOOLS)
def test_a_tool_that_cannot_ask_runs_to_the_end(project: Path, words: tuple[str, ...]):
    """The question stays open, the action is not done, and the incident is the project's."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("RUNBOOK_")}

    done = subprocess.run(
        [sys.executable, "-m", *words],
        cwd=project / "notebooks",
        env=own,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert not (project / "notebooks" / "incidents").exists()
    timeline = find(project / "kept", "INC-7")
    assert not timeline.last(Started).attended
    assert timeline.last(Asked).answer is None
    assert timeline.last(Acted).outcome is Outcome.REHEARSED


def test_a_variable_overrides_what_the_kernel_found_out():
    """For an editor of notebooks that cannot be asked what it allows."""
    assert is_attended({"RUNBOOK_ATTENDED": "1"})
    assert not is_attended({"RUNBOOK_ATTENDED": "0"})
