"""A yes given before a run, with a run, and held against it in the kernel names the same things."""

import json
import os
import sys

import nbformat
import pytest

from runbook_nb.errors import ParameterError, SettingMissingError, StepNotFoundError
from runbook_nb.runbook.runbook import Runbook
from runbook_nb.runs.engine.progress import PlainProgress
from runbook_nb.runs.run import Order, approve_last, run
from runbook_nb.testing import environ
from runbook_nb.timeline.events import Acted, Approved, Outcome
from runbook_nb.timeline.incidents import find

OPTION = "Option A: Restart"
PARAMETERS = """\
incident_id: str = ""
environment: str = "trial"
window_s: int = 60
share: float = 1
quiet: bool = False
remark: str = "none"
"""
OPENING = """\
from runbook_nb import Incident, at_most
from runbook_nb.testing import RecordingAction, scripted_probe

lag = scripted_probe(9, unit="s")
incident = Incident.open(
    incident_id,
    runbook="typed",
    environment=environment,
    parameters={"window_s": window_s, "share": share, "quiet": quiet, "remark": remark},
)
"""
CHECK = f'incident.check("Lag", lag, expect=at_most(5, "s"), if_failed="{OPTION}")'
ACT = 'incident.act("Restart", RecordingAction()(), because="Lag", risk="Cut.", undo="None.")'
GIVEN = {"window_s": "90", "share": "2.50", "quiet": "yes"}  # texts, as a command line has them


@pytest.fixture
def place(tmp_path):
    """Give a folder with one runbook of typed parameters and the settings of one environment."""
    code, words = nbformat.v4.new_code_cell, nbformat.v4.new_markdown_cell
    cells = [
        words("# Typed — Operational Procedure"),
        code(PARAMETERS, metadata={"tags": ["parameters"]}),
        code(OPENING),
        words("## Diagnosis\n\n### Check 1: Lag"),
        code(CHECK),
        words("## Resolution Steps"),
        code("incident.decide()"),
        words(f"### {OPTION}"),
        code(ACT),
    ]
    front = {"name": "typed", "title": "Typed", "severity": "SEV3", "alerts": []}
    notebook = nbformat.v4.new_notebook(cells=cells, metadata={"runbook": front})
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks" / "typed.ipynb").write_text(nbformat.writes(notebook))
    settings = tmp_path / "settings.toml"
    settings.write_text('[environments.trial]\nkind = "staging"\n')
    told = {"RUNBOOK_NOTEBOOKS": str(tmp_path / "notebooks"), "RUNBOOK_SETTINGS": str(settings)}
    with environ(**told, TRIAL_API_KEY="zq7-correct-horse-battery"):
        yield tmp_path


@pytest.fixture
def respond(place):
    """Run the runbook in a real kernel and return what became of its action."""

    def respond(**more):
        order = Order(
            runbook=Runbook.read(place / "notebooks" / "typed.ipynb"),
            incidents=place / "incidents",
            actor="sam",
            incident="INC-1",
            **more,
        )
        done = run(order, progress=PlainProgress(sys.stderr))
        assert done.execution.complete, done.execution.reason
        return done.timeline.of(Acted)[-1]

    return respond


@pytest.mark.parametrize("given", [{}, GIVEN])
def test_a_yes_given_with_a_run_holds_in_its_kernel(respond, given):
    """Types and defaults, and where it runs, are the same on both sides."""
    assert respond(parameters=given, approve=("A",)).outcome is Outcome.DONE


@pytest.mark.parametrize("given", [{}, GIVEN])
def test_a_yes_given_after_a_run_holds_for_the_next_one(respond, place, given):
    """Diagnose first, then say yes: the resolving run has the same parameters."""
    assert respond(parameters=given).outcome is Outcome.REHEARSED
    approve_last(place / "incidents", "INC-1", option="A", by="alex")

    assert respond(parameters=given).outcome is Outcome.DONE


def test_a_yes_to_an_undo_names_the_undo(respond, place):
    """An option's yes does not reach so far, and another undo has no name here."""
    respond()
    yes = approve_last(place / "incidents", "INC-1", option="Undo: Restart", by="alex")

    assert yes.option == "Undo: Restart"
    with pytest.raises(StepNotFoundError):
        approve_last(place / "incidents", "INC-1", option="Undo: Start", by="alex")


def test_both_ways_to_say_yes_write_the_same_digest(respond, place):
    """Neither covers more than the other."""
    respond(parameters=GIVEN, approve=("A",))
    approve_last(place / "incidents", "INC-1", option="A", by="alex")

    one, other = find(place / "incidents", "INC-1").of(Approved)
    assert one.parameters == other.parameters


def test_a_yes_for_other_parameters_does_not_hold(respond, place):
    """What was approved for one window is not approved for another."""
    respond(parameters=GIVEN)
    approve_last(place / "incidents", "INC-1", option="A", by="alex")

    refused = respond(parameters={**GIVEN, "window_s": 91})
    assert refused.outcome is Outcome.REHEARSED
    assert "for other parameters" in refused.reason


def test_a_name_that_would_be_masked_approves_nothing(respond, place):
    """Approvals compare names, and a mark is nobody's."""
    respond()
    before = find(place / "incidents", "INC-1").path.read_bytes()
    with pytest.raises(ParameterError) as told:
        approve_last(
            place / "incidents", "INC-1", option="A", by=f"alex {os.environ['TRIAL_API_KEY']}"
        )

    assert "correct-horse" not in str(told.value)
    assert find(place / "incidents", "INC-1").path.read_bytes() == before


def test_without_the_settings_of_its_environment_nothing_is_approved(respond, place):
    """What cannot be masked is not written."""
    respond()
    (place / "settings.toml").write_text("")
    before = find(place / "incidents", "INC-1").path.read_bytes()

    with pytest.raises(SettingMissingError, match="trial"):
        approve_last(place / "incidents", "INC-1", option="A", by="alex")
    assert find(place / "incidents", "INC-1").path.read_bytes() == before
    assert json.loads(before.splitlines()[-1])["kind"] == "ended"
