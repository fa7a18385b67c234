"""What a run came to: a run that was not whole says nothing good, whatever its checks said."""

import sys
from datetime import UTC, datetime

import nbformat
import pytest

from runbook_nb.redaction import Redactor
from runbook_nb.runbook.runbook import Runbook
from runbook_nb.runs.engine.progress import PlainProgress
from runbook_nb.runs.run import Order, run
from runbook_nb.testing import environ
from runbook_nb.timeline.events import Acting, Ended, Verdict
from runbook_nb.timeline.incidents import declare

OPENING = """\
from runbook_nb import Incident, at_most, minutes
from gauges import lag
incident = Incident.open(incident_id, runbook="trial", environment=environment, parameters={})
"""
CHECK = 'incident.check("Lag", lag, expect=at_most(5, "s"), if_failed="Option A: Restart")'
# The check that it would repeat stands nowhere.
BROKEN = 'incident.verify("Load", within=minutes(1))'
GAUGES = "from runbook_nb.testing import scripted_probe\nlag = scripted_probe(1, unit='s')\n"
SETTINGS = '[environments.trial]\nkind = "lab"\n'
DESCRIBED = {"title": "Restart", **dict.fromkeys(("call", "option", "because", "risk", "undo"), "")}


@pytest.fixture
def respond(tmp_path):
    """Run a runbook of these cells in a real kernel, where its check passes."""
    before = [*sys.path]
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "gauges.py").write_text(GAUGES)
    (tmp_path / "runbook.toml").write_text(SETTINGS)

    def respond(*sources):
        code, words = nbformat.v4.new_code_cell, nbformat.v4.new_markdown_cell
        parameters = 'incident_id: str = ""\nenvironment: str = "trial"'
        cells = [
            words("# Trial — Operational Procedure"),
            code(parameters, metadata={"tags": ["parameters"]}),
            code(OPENING),
            words("## Diagnosis\n\n### Check 1: Lag"),
            *map(code, sources),
            words("## Resolution Steps\n\n### Option A: Restart"),
        ]
        front = {"name": "trial", "title": "Trial", "severity": "SEV3", "alerts": []}
        notebook = nbformat.v4.new_notebook(cells=cells, metadata={"runbook": front})
        path = tmp_path / "notebooks" / "trial.ipynb"
        path.write_text(nbformat.writes(notebook))
        told = {"runbook": Runbook.read(path), "incidents": tmp_path / "incidents", "actor": "sam"}
        return run(Order(incident="INC-1", **told), progress=PlainProgress(sys.stderr))

    with environ(RUNBOOK_PROJECT=str(tmp_path)):
        yield respond
    sys.path[:] = before


def test_a_whole_run_has_the_verdict_of_its_checks(respond):
    """And nothing that may be half done."""
    done = respond(CHECK)

    assert (done.execution.complete, done.verdict, done.begun) == (True, Verdict.PASS, ())
    assert done.timeline.last(Ended).complete


def test_a_run_that_was_not_whole_is_unknown_though_its_checks_passed(respond):
    """What did not run was not seen."""
    done = respond(CHECK, BROKEN)

    assert "StepNotFoundError" in done.execution.reason
    assert done.verdict is Verdict.UNKNOWN
    assert not done.timeline.last(Ended).complete


def test_a_whole_run_beside_something_half_done_is_unknown(respond, tmp_path):
    """A passing check is evidence, never proof."""
    opened = declare(
        tmp_path / "incidents",
        incident="INC-1",
        title="Trial",
        severity="SEV3",
        runbook="trial",
        environment="trial",
        by="kim",
        alert=None,
        redactor=Redactor(),
    )
    opened.append(Acting(at=datetime.now(UTC), by="kim", attempt="run-0.2", **DESCRIBED))
    done = respond(CHECK)

    assert done.execution.complete
    assert [attempt.id for attempt in done.begun] == ["run-0.2"]
    assert done.verdict is Verdict.UNKNOWN
