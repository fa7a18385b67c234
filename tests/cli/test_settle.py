"""What was begun is settled in a terminal: by its title, one way or the other, with a reason."""

from datetime import UTC, datetime

import pytest
from typer.testing import CliRunner

from runbook_nb.cli import app
from runbook_nb.errors import ParameterError, StepNotFoundError
from runbook_nb.timeline.events import Acting, Settled, Settlement
from story import opened_incident

TITLE = "Restart the agent"
SAID = ("--because", "Its uptime is 3 days.", "--as", "kim")


@pytest.fixture
def timeline(tmp_path):
    """An incident with an action that nobody saw end."""
    words = dict.fromkeys(("call", "option", "because", "risk", "undo"), "")
    opened = opened_incident(tmp_path, incident="INC-7", title="Streams freeze")
    opened.append(Acting(at=datetime.now(UTC), title=TITLE, attempt="run.4", by="sam", **words))
    return opened


@pytest.fixture
def runbook(timeline):
    """The command, on the folder of that incident."""

    def run(*words):
        folder = str(timeline.path.parents[1])
        return CliRunner().invoke(app, [*words, "--incidents", folder])

    return run


@pytest.mark.parametrize(
    ("way", "outcome"), [("--done", Settlement.DONE), ("--not-done", Settlement.NOT_DONE)]
)
def test_a_person_settles_an_action_by_its_title(runbook, timeline, way, outcome):
    """Who, and what they saw, is on the timeline."""
    assert runbook("settle", "INC-7", TITLE, way, *SAID).exit_code == 0

    settled = timeline.last(Settled)
    assert (settled.outcome, settled.attempt, settled.by) == (outcome, "run.4", "kim")
    assert settled.because == SAID[1]


@pytest.mark.parametrize("ways", [(), ("--done", "--not-done")])
def test_it_must_be_said_which_of_the_two(runbook, timeline, ways):
    """Neither is assumed."""
    told = runbook("settle", "INC-7", TITLE, *ways, *SAID)

    assert isinstance(told.exception, ParameterError)
    assert timeline.last(Settled) is None


def test_it_is_settled_once(runbook, timeline):
    """Then there is nothing left to settle."""
    runbook("settle", "INC-7", TITLE, "--done", *SAID)
    told = runbook("settle", "INC-7", TITLE, "--not-done", *SAID)

    assert isinstance(told.exception, StepNotFoundError)
    assert len(timeline.of(Settled)) == 1


def test_a_wrong_title_is_told_with_what_is_unsettled(runbook):
    """Nobody guesses a title at night."""
    told = runbook("settle", "INC-7", "Restart", "--done", *SAID)

    assert isinstance(told.exception, StepNotFoundError)
    assert TITLE in str(told.exception)


def test_it_can_be_settled_after_the_close(runbook, timeline):
    """It is testimony of what began before."""
    assert runbook("close", "INC-7", "--as", "sam").exit_code == 0
    assert runbook("settle", "INC-7", TITLE, "--done", *SAID).exit_code == 0

    assert timeline[-1].kind == "settled"
    told = CliRunner().invoke(app, ["verify", str(timeline.folder.path)])
    assert told.exit_code == 1, told.output
    assert "altered" not in told.output.replace("unaltered", "")
