"""The exit code of a run is the worst of all that came of it."""

import json

import pytest
import typer

from runbook_nb.cli.app import ERROR
from runbook_nb.cli.run import _finish
from runbook_nb.incident.context import RunContext
from runbook_nb.runs.engine.progress import Execution
from runbook_nb.runs.run import Run
from runbook_nb.timeline.events import Verdict


@pytest.fixture
def came_to(night):
    """Return a run that came to a verdict."""
    incident = night.incident()

    def came_to(verdict):
        context = RunContext(
            incidents=night.folder / "incidents",
            incident="INC-1",
            run="run-1",
            notebook=night.runbook.path,
            actor="sam",
            attended=False,
        )
        return Run(
            incident="INC-1",
            context=context,
            timeline=incident.timeline,
            execution=Execution(notebook=night.folder / "run-1.ipynb", complete=True),
            verdict=verdict,
        )

    return came_to


@pytest.fixture
def finished(came_to, capsys):
    """Finish runs that came to these verdicts; return the exit code and what was said."""

    def finished(verdicts, unanswered, *, as_json):
        left = ["Nobody answers QueueDepthHigh."] * unanswered
        with pytest.raises(typer.Exit) as ended:
            _finish([came_to(Verdict(each)) for each in verdicts], as_json, unanswered=left)
        return ended.value.exit_code, capsys.readouterr()

    return finished


@pytest.mark.parametrize(
    ("verdicts", "unanswered", "code"),
    [
        (["pass"], 0, 0),
        (["warn"], 0, 1),
        (["fail"], 0, 2),
        (["unknown"], 0, ERROR),
        (["pass", "fail"], 0, 2),
        (["fail", "pass"], 0, 2),
        (["unknown", "warn"], 0, ERROR),
        (["unknown", "fail"], 0, 2),
        (["pass"], 1, ERROR),
        ([], 1, ERROR),
    ],
)
def test_a_run_exits_by_the_worst_of_all(finished, verdicts, unanswered, code):
    """An alert that nobody answers is unknown."""
    ended, said = finished(verdicts, unanswered, as_json=False)
    lines = [line.split()[2] for line in said.out.splitlines() if line.startswith("Incident")]

    assert ended == code
    assert lines == [f"{verdict}." for verdict in verdicts]
    assert ("QueueDepthHigh" in said.err) is bool(unanswered)


def test_a_run_as_json_exits_by_the_worst_too(finished):
    """The first run is told at the top, the others beside it."""
    ended, said = finished(["pass", "warn", "fail"], 0, as_json=True)
    told = json.loads(said.out)

    assert ended == 2
    assert [told["verdict"], *(each["verdict"] for each in told["also"])] == [
        "pass",
        "warn",
        "fail",
    ]
