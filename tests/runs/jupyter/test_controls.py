"""What the board lets a responder do without a cell, and what it warns of."""

from datetime import UTC, datetime

import pytest

from runbook_nb.errors import IncidentStateError, ParameterError, RunbookError
from runbook_nb.incident.board import board_of
from runbook_nb.redaction import Redactor
from runbook_nb.runbook import Runbook
from runbook_nb.runs.jupyter.controls import controls_html, does
from runbook_nb.timeline import queries
from runbook_nb.timeline.events import (
    Acted,
    Asked,
    Checked,
    ClosingStatement,
    Evidence,
    FollowUp,
    Outcome,
    SeverityTerms,
    Terms,
    Verdict,
)
from runbook_nb.timeline.incidents import declare, find
from runbook_nb.timeline.writer import WritableTimeline

NOW = datetime.now(UTC)
EVIL = "Tell <script>alert(1)</script> & 'all' \"users\""


@pytest.fixture
def runbook():
    """The longest runbook that is shipped."""
    return max(Runbook.every(), key=lambda each: len(each.steps))


@pytest.fixture
def timeline(tmp_path, runbook) -> WritableTimeline:
    """An open incident."""
    return declare(
        tmp_path,
        incident="INC-1",
        title="Lag",
        severity="SEV2",
        runbook=runbook.name,
        environment="lab",
        by="sam",
        alert=None,
        redactor=Redactor(),
        terms=Terms(severities=(SeverityTerms(name="SEV1"), SeverityTerms(name="SEV2"))),
    )


@pytest.fixture
def drawn(timeline, runbook):
    """Draw the forms as they fit now."""
    return lambda: controls_html(board_of(timeline, runbook, now=datetime.now(UTC)), timeline)


def do(timeline, what, **words):
    """Do what a form asks for."""
    folder = timeline.folder
    return does(folder.incidents.path, folder.name, {"does": what, "words": words}, by="sam")


def test_a_note_an_answer_and_a_severity_are_written(timeline, drawn):
    """Each as its command writes it, and by whom."""
    timeline.append(Asked(at=NOW, question=EVIL, owner="Communications"))
    assert "<script>" not in drawn()

    do(timeline, "note", text="The worker hangs.")
    do(timeline, "answer", question=EVIL, text="Told them.")
    do(timeline, "severity", severity="SEV1", because="One tenant only.")

    events = list(timeline)
    noted, answered, classified = events[-3:]
    assert (noted.text, noted.by) == ("The worker hangs.", "sam")
    assert (answered.question, answered.answer) == (EVIL, "Told them.")
    assert (classified.severity, classified.before) == ("SEV1", "SEV2")
    assert "Answer:" not in drawn()


def test_an_undo_is_offered_for_what_stands(timeline, drawn, runbook):
    """It is a step of its own, with the title as it is written."""
    [title] = [step.title for step in runbook.steps if step.verb == "act"][:1]
    assert "Undo" not in drawn()
    timeline.append(Acted(at=NOW, title=title, call="x()", outcome=Outcome.DONE))

    assert f"incident.undo({title!r})".replace("'", "&#x27;") in drawn()


def test_the_close_warns_of_what_is_still_open(timeline, drawn, runbook):
    """A check that fails, and a step that nobody answered; then it closes, and offers no more."""
    check = next(step.title for step in runbook.steps if step.verb == "check")
    evidence = Evidence(question="q", answer=9, read_at=NOW)
    failed = {"title": check, "verdict": Verdict.FAIL, "evidence": evidence, "expect": "at most 5"}
    timeline.append(Checked(at=NOW, if_failed="", **failed))
    timeline.append(Asked(at=NOW, question="Page the on-call", owner="Communications"))
    warned = drawn().partition("Still open")[2]
    assert f"fail: {check}" in warned
    assert "not answered: Page the on-call" in warned

    with pytest.raises(ParameterError, match="Say what ada does afterwards"):
        do(timeline, "close", resolution="The worker runs again.", owner="ada")
    stated = {"cause": "A full disk.", "follow_up": "Watch the disk.", "owner": "ada"}
    said = do(timeline, "close", resolution="The worker runs again.", **stated)
    assert "INC-1 is closed" in said
    assert "runbook verify INC-1 --head" in said
    closed = queries.closed(timeline)
    assert closed.resolution == "The worker runs again."
    assert closed.statement == ClosingStatement(
        cause="A full disk.", follow_ups=(FollowUp(text="Watch the disk.", owner="ada"),)
    )
    assert timeline.folder.page.exists()
    assert drawn() == ""


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"does": "act", "words": {}},
        {"does": "note", "words": None},
        {"does": "note", "words": {"text": 3}},
        {"does": "note", "words": {"text": "  "}},
        {"does": "answer", "words": {"question": "no such step", "text": "x"}},
        {"does": "severity", "words": {"severity": "SEV99", "because": "x"}},
    ],
)
def test_what_no_form_asks_is_refused_and_writes_nothing(timeline, asked):
    """With one sentence."""
    before = len(timeline)
    with pytest.raises(RunbookError):
        does(timeline.folder.incidents.path, "INC-1", asked, by="sam")

    assert len(timeline) == before


def test_nothing_is_written_after_the_close(timeline):
    """The board of a closed incident may still stand in a tab."""
    do(timeline, "close", resolution="Over.")
    with pytest.raises(IncidentStateError):
        do(timeline, "note", text="late")
    with pytest.raises((IncidentStateError, ParameterError)):
        do(timeline, "close", resolution="again")
    assert queries.closed(find(timeline.folder.incidents.path, "INC-1")).resolution == "Over."
