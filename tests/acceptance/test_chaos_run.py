"""A drill is an experiment of Chaos Toolkit: its own command runs it, from any folder."""

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

from runbook_nb.authoring.drills import steps
from runbook_nb.errors import LabError
from runbook_nb.runbook import runbooks_folder
from runbook_nb.runs.engine.progress import for_stream

pytestmark = pytest.mark.drills

DRILL = "rls_policy_debugging.grant_removed.json"


@pytest.fixture
def chaos_run(runbook):
    """Run an experiment as a user does, in a folder where nothing else is."""

    def run(experiment: Path) -> tuple[int, dict]:
        done = subprocess.run(
            [sys.executable, "-m", "chaostoolkit", "--no-version-check", "run", str(experiment)],
            cwd=runbook.folder,
            env=runbook.environ,
            check=False,
            capture_output=True,
            text=True,
            timeout=280,
        )
        journal = json.loads((runbook.folder / "journal.json").read_text(encoding="utf-8"))
        assert journal["rollbacks"], done.stdout + done.stderr
        return done.returncode, journal

    return run


@pytest.fixture
def changed(tmp_path):
    """Write a copy of the drill with a change."""

    def write(change) -> Path:
        experiment = json.loads((runbooks_folder() / "drills" / DRILL).read_text(encoding="utf-8"))
        change({step["name"]: step["provider"]["arguments"] for step in experiment["method"]})
        path = tmp_path / DRILL
        path.write_text(json.dumps(experiment), encoding="utf-8")
        return path

    return write


def test_a_drill_runs_unchanged(chaos_run, runbook):
    """The incident and its record are where the command was run."""
    code, journal = chaos_run(runbooks_folder() / "drills" / DRILL)

    assert (code, journal["status"], journal["deviated"]) == (0, "completed", False)
    (record,) = runbook.incidents.glob("*/record.html")
    assert runbook("verify", str(record.parent))


def test_a_runbook_that_finds_something_else_deviates(chaos_run, changed):
    """The journal says what was expected and what was found."""

    def expect_another(arguments) -> None:
        arguments["run the runbook"]["expect"]["failed"] = ["Policies"]

    code, journal = chaos_run(changed(expect_another))

    assert (code, journal["deviated"]) == (1, True)
    said = str(journal["run"][-1]["exception"])
    assert "failed: expected Policies, found Mission rows by caller, Grants" in said


@pytest.mark.usefixtures("lab")
def test_a_step_that_fails_counts_against_the_runbook():
    """Chaos Toolkit itself goes on after it, and calls the experiment completed."""
    steps.prepare(steps.DrillStage(progress=for_stream(io.StringIO())))
    with pytest.raises(LabError, match="Did you mean 'grant_removed'"):
        steps.inject("grants_removed")

    assert not steps.runbook_agrees()
