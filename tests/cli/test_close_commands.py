"""What who closes an incident says of it is kept, masked, and shown where people look."""

import json

import pytest
from typer.testing import CliRunner

from runbook_nb.cli import app
from runbook_nb.errors import ParameterError
from runbook_nb.timeline.events import Closed, FollowUp
from runbook_nb.timeline.incidents import find
from story import opened_incident

SAID = {
    "--resolution": "The agent was restarted.",
    "--cause": "An export of all rows held the loop.",
    "--commander": "Ada",
    "--users-saw": "Streams froze for a minute.",
}


@pytest.fixture
def incidents(tmp_path):
    opened_incident(tmp_path, incident="INC-7", title="Streams freeze")
    return tmp_path


def closes(incidents, *words):
    given = [part for pair in SAID.items() for part in pair]
    command = ["close", "INC-7", *given, *words, "--as", "sam", "--incidents", str(incidents)]
    return CliRunner().invoke(app, command, catch_exceptions=False, standalone_mode=False)


def test_the_closing_statement_is_in_timeline_record_facts_and_postmortem(incidents):
    """Each follow-up has its own owner."""
    closes(
        incidents,
        *("--follow-up", "Limit the size of exports", "--owner", "Data team"),
        *("--follow-up", "Alert on a held loop", "--owner", "Grace"),
    )
    stated = find(incidents, "INC-7").last(Closed).statement
    page = (incidents / "INC-7" / "record.html").read_text(encoding="utf-8")
    facts = json.loads((incidents / "INC-7" / "record.json").read_text(encoding="utf-8"))
    told = CliRunner().invoke(
        app, ["postmortem", "INC-7", "--to", "-", "--incidents", str(incidents)]
    )

    assert stated.follow_ups == (
        FollowUp(text="Limit the size of exports", owner="Data team"),
        FollowUp(text="Alert on a held loop", owner="Grace"),
    )
    assert facts["record"]["statement"]["follow_ups"][1]["owner"] == "Grace"
    for words in (*[*SAID.values()][1:], "Limit the size of exports", "Data team", "Grace"):
        assert words in page
        assert words in told.output


def test_one_owner_may_have_every_follow_up(incidents):
    """Said once, for all."""
    closes(incidents, "--follow-up", "One", "--follow-up", "Two", "--owner", "Grace")

    stated = find(incidents, "INC-7").last(Closed).statement
    assert [each.owner for each in stated.follow_ups] == ["Grace", "Grace"]


def test_owners_that_fit_no_follow_up_close_nothing(incidents):
    """Whose it is would be guessed."""
    owners = ("--owner", "Ada", "--owner", "Grace", "--owner", "Joan")
    with pytest.raises(ParameterError, match="3 times for 2"):
        closes(incidents, "--follow-up", "One", "--follow-up", "Two", *owners)

    assert find(incidents, "INC-7").last(Closed) is None


def test_a_secret_in_a_closing_statement_is_masked(incidents):
    """It is written like everything else."""
    closes(incidents, "--follow-up", "Rotate sk-ABCDEFGH12345678abcd", "--owner", "Grace")
    files = [path.read_text(encoding="utf-8") for path in (incidents / "INC-7").iterdir()]

    assert not any("sk-ABCDEFGH12345678abcd" in text for text in files)
