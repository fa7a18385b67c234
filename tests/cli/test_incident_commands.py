"""An incident in a terminal: where it stands, words, answers and another severity."""

import json
from datetime import UTC, datetime

import pytest
from typer.testing import CliRunner

from runbook_nb.cli import app
from runbook_nb.errors import IncidentStateError, ParameterError, StepNotFoundError
from runbook_nb.record.facts import Record
from runbook_nb.timeline import queries
from runbook_nb.timeline.events import (
    Asked,
    Checked,
    Closed,
    Decided,
    Evidence,
    Noted,
    SeverityTerms,
    Terms,
    Verdict,
)
from runbook_nb.timeline.log import Timeline
from story import opened_incident

RUNBOOK = "heartbeat_failure_recovery"
OPTION = "Option A: Restart the agent"
PAGE = "Page the runtime steward"
TERMS = Terms(
    severities=(
        SeverityTerms(name="SEV1", update_every_s=900.0),
        SeverityTerms(name="SEV2", update_every_s=3600.0),
    )
)


@pytest.fixture
def timeline(tmp_path):
    """An incident that a run diagnosed and left to people."""
    opened = opened_incident(
        tmp_path, incident="INC-7", title="Streams freeze", runbook=RUNBOOK, terms=TERMS
    )
    now = {"at": datetime.now(UTC), "by": "sam", "run": "r"}
    read = Evidence(question="agent.health()", answer=503, read_at=datetime.now(UTC))
    opened.append(
        Checked(
            **now,
            title="Agent health",
            verdict=Verdict.FAIL,
            evidence=read,
            expect="200",
            if_failed=OPTION,
        )
    )
    opened.append(Decided(**now, option=OPTION, recommended=OPTION, verdict=Verdict.FAIL))
    opened.append(Asked(**now, question=PAGE, owner="Runtime Steward"))
    return opened


def runbook(timeline, *words):
    """Type a command for the folder of these incidents; what it refuses is raised."""
    folder = str(timeline.folder.incidents.path)
    done = CliRunner().invoke(
        app, [*words, "--incidents", folder], catch_exceptions=False, standalone_mode=False
    )
    return done.stdout


def test_the_status_of_the_only_open_incident_needs_no_id(timeline):
    """At three in the morning nobody looks an id up."""
    told = runbook(timeline, "status")

    assert "INC-7: Streams freeze" in told
    assert OPTION in told
    assert runbook(timeline, "status", "INC-7").splitlines()[0] == told.splitlines()[0]


def test_several_open_incidents_are_a_list(timeline, tmp_path):
    """Each with its severity and what comes next."""
    opened_incident(
        tmp_path, incident="INC-8", title="Sign-in fails", severity="SEV1", runbook=RUNBOOK
    )

    listed = runbook(timeline, "status").splitlines()
    assert {line.split()[0] for line in listed} >= {"INC-7", "INC-8"}


def test_a_machine_reads_checks_option_questions_and_the_next_command(timeline):
    """The JSON needs no scraping of words."""
    facts = json.loads(runbook(timeline, "status", "INC-7", "--json"))

    checks = {check["title"]: check["state"] for check in facts["checks"] if check["answer"]}
    assert checks == {"Agent health": "fail"}
    assert facts["option"] == facts["recommended"] == OPTION
    assert facts["next_command"] == "runbook close INC-7"
    assert datetime.fromisoformat(facts["opened_at"]).tzinfo is not None


def test_a_closed_incident_has_no_next_command(timeline):
    """There is nothing to go on with."""
    timeline.append(Closed(at=datetime.now(UTC), by="sam"))

    assert json.loads(runbook(timeline, "status", "INC-7", "--json"))["next_command"] == ""
    assert json.loads(runbook(timeline, "status", "--json")) == []


def test_a_note_is_on_the_timeline_masked(timeline):
    """A secret that was pasted does not stay."""
    runbook(
        timeline, "note", "INC-7", "token=ghp_0123456789abcdefghijABCDEFGHIJ012345", "--as", "ada"
    )

    assert queries.last(timeline, Noted).by == "ada"
    assert "ghp_" not in timeline.path.read_text()


def test_an_answer_needs_only_a_part_of_its_question(timeline):
    """And the newest one stands."""
    runbook(timeline, "answer", "INC-7", "page the", "Paged.", "--as", "ada")
    runbook(timeline, "answer", "INC-7", PAGE, "She is on it.", "--as", "ada")

    (step,) = [each for each in queries.manual_steps(timeline) if each.question == PAGE]
    assert (step.answer, step.by, step.owner) == ("She is on it.", "ada", "Runtime Steward")
    assert PAGE not in {each.question for each in queries.open_questions(timeline)}


def test_a_step_of_the_runbook_can_be_answered_before_it_was_put(timeline):
    """A responder does it by hand, with nothing executing."""
    runbook(timeline, "answer", "INC-7", "Find which key", "It was known.")

    assert queries.last(timeline, Asked).answer == "It was known."


@pytest.mark.parametrize("part", ["nothing like it", "", "e"])
def test_an_answer_that_fits_none_or_several_is_refused_with_the_open_ones(timeline, part):
    """Nothing was written."""
    before = len(timeline)

    with pytest.raises(StepNotFoundError, match=PAGE):
        runbook(timeline, "answer", "INC-7", part, "Done.")
    assert len(timeline) == before


def test_another_severity_sets_other_clocks_and_stands_in_the_record(timeline):
    """It is said by whom and why."""
    before = json.loads(runbook(timeline, "status", "INC-7", "--json"))["update_due"]
    runbook(timeline, "severity", "INC-7", "sev1", "--because", "All tenants.", "--as", "ada")

    facts = json.loads(runbook(timeline, "status", "INC-7", "--json"))
    assert facts["severity"] == "SEV1"
    assert facts["update_due"] < before
    record = Record.of(Timeline(timeline.path))
    assert (record.severity, record.worst_severity) == ("SEV1", "SEV1")


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("severity", "INC-7", "SEV9", "--because", "x"), ParameterError),
        (("severity", "INC-7", "SEV2", "--because", "x"), IncidentStateError),
        (("severity", "INC-7", "SEV1", "--because", " "), ParameterError),
        (("note", "INC-7", "  "), ParameterError),
        (("answer", "INC-7", PAGE, ""), ParameterError),
        (("note", "INC-70", "x"), IncidentStateError),
        (("status", "INC-70"), IncidentStateError),
    ],
)
def test_what_makes_no_sense_is_refused_and_nothing_is_written(timeline, words, error):
    """One clear error."""
    before = len(timeline)

    with pytest.raises(error):
        runbook(timeline, *words)
    assert len(timeline) == before


@pytest.mark.parametrize(
    "words",
    [
        ("note", "INC-7", "x"),
        ("answer", "INC-7", PAGE, "x"),
        ("severity", "INC-7", "SEV1", "--because", "x"),
        ("undo", "INC-7", "Restart the agent"),
    ],
)
def test_a_closed_incident_takes_no_words_and_no_actions(timeline, words):
    """What happens now belongs to a new one."""
    timeline.append(Closed(at=datetime.now(UTC), by="sam"))

    with pytest.raises(IncidentStateError, match="was closed"):
        runbook(timeline, *words)
    assert isinstance(timeline[-1], Closed)
