"""A yes given before a run, with a run, and held against it in the kernel names the same things."""

import json
import os
import sys
from datetime import UTC, datetime

import nbformat
import pytest

from runbook_nb.errors import (
    ApprovalError,
    IncidentStateError,
    ParameterError,
    SettingMissingError,
    StepNotFoundError,
)
from runbook_nb.redaction import Redactor
from runbook_nb.runbook.runbook import Runbook
from runbook_nb.runs.engine.progress import PlainProgress
from runbook_nb.runs.run import Order, approve_last, run
from runbook_nb.testing import environ
from runbook_nb.timeline.events import Acted, Acting, Approved, Closed, Outcome
from runbook_nb.timeline.incidents import find
from runbook_nb.timeline.writer import WritableTimeline
from signers import key_file, make_signer

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
from hoists import lag, restart
incident = Incident.open(
    incident_id,
    runbook="typed",
    environment=environment,
    parameters={"window_s": window_s, "share": share, "quiet": quiet, "remark": remark},
)
"""
CHECK = f'incident.check("Lag", lag, expect=at_most(5, "s"), if_failed="{OPTION}")'
ACT = 'incident.act("Restart", restart(), because="Lag", risk="Cut.", undo="None.")'
PACK = """\
from hoists.shared import LATE
from runbook_nb.testing import RecordingAction, scripted_probe

lag = scripted_probe(LATE, unit="s")
restart = RecordingAction()
"""
SETTINGS = """\
[environments.trial]
kind = "staging"
[environments.named]
kind = "lab"
"""
ADA, BOB = "ada@company.com", "bob@company.com"
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
    (tmp_path / "src" / "hoists").mkdir(parents=True)
    (tmp_path / "src" / "hoists" / "__init__.py").write_text(PACK)
    (tmp_path / "src" / "hoists" / "shared.py").write_text("LATE = 9\n")
    signers = [make_signer(tmp_path / "keys", name) for name in (ADA, BOB)]
    (tmp_path / "runbook.toml").write_text("".join([SETTINGS, *(each.table for each in signers)]))
    told = {"RUNBOOK_PROJECT": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path / "no-keys")}
    before = [*sys.path]
    with environ(**told, TRIAL_API_KEY="zq7-correct-horse-battery"):
        yield tmp_path
    sys.path[:] = before


@pytest.fixture
def yes(place):
    """Approve as a person with a key."""

    def yes(option="A", *, by=ADA, **more):
        key = key_file(place / "keys", by)
        return approve_last(place / "incidents", "INC-1", option=option, by="anybody", key=key)

    return yes


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
def test_a_yes_given_with_a_run_holds_in_its_kernel(respond, place, given):
    """Types and defaults, code, and where it runs, are the same on both sides."""
    key = key_file(place / "keys", ADA)

    assert respond(parameters=given, approve=("A",), key=key).outcome is Outcome.DONE
    assert find(place / "incidents", "INC-1").last(Acting).approved_by == ADA


@pytest.mark.parametrize("given", [{}, GIVEN])
def test_a_yes_given_after_a_run_holds_for_the_next_one(respond, place, yes, given):
    """Diagnose first, then say yes: the resolving run has the same parameters."""
    assert respond(parameters=given).outcome is Outcome.REHEARSED
    assert yes().by == ADA

    assert respond(parameters=given).outcome is Outcome.DONE
    acting = find(place / "incidents", "INC-1").last(Acting)
    assert (acting.by, acting.approved_by) == ("sam", ADA)


def test_without_a_key_nobody_says_yes_where_it_must_be_signed(respond, place):
    """Neither with a run, which is then not begun, nor after one; and no key is made by the way."""
    with pytest.raises(ApprovalError, match="runbook key"):
        respond(approve=("A",))
    assert not (place / "incidents").exists()
    respond()
    with pytest.raises(ApprovalError, match="runbook key"):
        approve_last(place / "incidents", "INC-1", option="A", by=ADA)

    assert not find(place / "incidents", "INC-1").of(Approved)
    assert not (place / "no-keys").exists()


def test_a_key_that_the_settings_do_not_name_says_no_yes(respond, place):
    """The error says what to add."""
    stranger = make_signer(place / "keys", "mallory")
    respond()

    key = key_file(place / "keys", "mallory")
    with pytest.raises(ApprovalError) as told:
        approve_last(place / "incidents", "INC-1", option="A", by=ADA, key=key)
    assert stranger.seal.fingerprint in str(told.value)


def test_in_the_lab_a_name_is_enough(respond, place):
    """So that drills need no key; the name is as it is shown."""
    given = {"environment": "named"}
    assert respond(parameters=given, approve=("A",)).outcome is Outcome.DONE
    named = approve_last(place / "incidents", "INC-1", option="A", by=" Alice\u00a0 ")

    assert (named.by, named.signature) == ("Alice", "")


def test_a_yes_to_an_undo_names_the_undo(respond, yes):
    """An option's yes does not reach so far, and another undo has no name here."""
    respond()

    assert yes("Undo: Restart").option == "Undo: Restart"
    with pytest.raises(StepNotFoundError):
        yes("Undo: Start")


def test_both_ways_to_say_yes_write_the_same_digests(respond, place, yes):
    """Neither covers more than the other."""
    respond(parameters=GIVEN, approve=("A",), key=key_file(place / "keys", BOB))
    yes()

    one, other = find(place / "incidents", "INC-1").of(Approved)
    assert (one.parameters, one.text, one.code) == (other.parameters, other.text, other.code)
    assert one.nonce != other.nonce


def test_a_yes_for_other_parameters_does_not_hold(respond, yes):
    """What was approved for one window is not approved for another."""
    respond(parameters=GIVEN)
    yes()

    refused = respond(parameters={**GIVEN, "window_s": 91})
    assert refused.outcome is Outcome.REHEARSED
    assert "for other parameters" in refused.reason


@pytest.mark.slow
def test_parameters_are_compared_as_they_were_given(respond, yes):
    """On the timeline two addresses are one mark."""
    given = {"remark": "for ada@example.com"}
    respond(parameters=given)
    yes()

    assert respond(parameters={"remark": "for bob@example.com"}).outcome is Outcome.REHEARSED
    assert respond(parameters=given).outcome is Outcome.DONE


@pytest.mark.slow
def test_a_change_of_the_packs_code_makes_a_yes_void(respond, place, yes):
    """Also where it stands beside the calls that were approved."""
    respond()
    yes()
    (place / "src" / "hoists" / "shared.py").write_text("LATE = 10\n")

    refused = respond()
    assert refused.outcome is Outcome.REHEARSED
    assert "code" in refused.reason
    yes()
    assert respond().outcome is Outcome.DONE


def test_a_secret_as_the_name_of_who_approves_is_refused(respond, place):
    """Approvals compare names, and a mark is nobody's."""
    respond(parameters={"environment": "named"})
    before = find(place / "incidents", "INC-1").path.read_bytes()

    by = f"alex {os.environ['TRIAL_API_KEY']}"
    with pytest.raises(ParameterError) as told:
        approve_last(place / "incidents", "INC-1", option="A", by=by)
    assert "correct-horse" not in str(told.value)
    assert find(place / "incidents", "INC-1").path.read_bytes() == before


def test_without_the_settings_of_its_environment_nothing_is_approved(respond, place, yes):
    """What cannot be masked is not written."""
    respond()
    (place / "runbook.toml").write_text("")
    before = find(place / "incidents", "INC-1").path.read_bytes()

    with pytest.raises(SettingMissingError, match="trial"):
        yes()
    assert find(place / "incidents", "INC-1").path.read_bytes() == before
    assert json.loads(before.splitlines()[-1])["kind"] == "ended"


def test_a_closed_incident_and_an_unknown_option_take_no_yes(respond, place, yes):
    """Nothing is written."""
    respond()
    timeline = find(place / "incidents", "INC-1")
    with pytest.raises(StepNotFoundError):
        yes("B")
    assert not timeline.of(Approved)
    writable = WritableTimeline(timeline.path, redactor=Redactor())
    writable.append(Closed(at=datetime.now(UTC), by="sam"))
    before = timeline.path.read_bytes()
    with pytest.raises(IncidentStateError):
        yes()
    # That it is closed is said first, before an option or a key is looked at.
    with pytest.raises(IncidentStateError):
        approve_last(place / "incidents", "INC-1", option="B", by="anybody")
    assert timeline.path.read_bytes() == before
