"""A board says where an incident stands, from its timeline alone."""

import json
from datetime import timedelta

import pytest

from runbook_nb.incident.board import BoardFold, StepState, board_of
from runbook_nb.incident.cards import board_html, board_text
from runbook_nb.runbook.runbook import Runbook
from runbook_nb.testing import runbook_cells
from runbook_nb.timeline.events import (
    UNDO,
    Acted,
    Acting,
    Approved,
    Asked,
    Checked,
    Closed,
    Decided,
    Noted,
    Outcome,
    Settled,
    Settlement,
    SeverityTerms,
    Started,
    Terms,
    Undone,
    Verdict,
)
from runbook_nb.timeline.log import Timeline
from story import ACTION, LAG, RESTART, START, UNBUFFER, Elements, Story, evidence, heartbeat


@pytest.fixture
def runbook(tmp_path):
    """A runbook with the checks, options and actions that the stories tell of."""
    cells = runbook_cells(
        checks=(LAG, "Part 0 is well", "Never read"),
        options=(RESTART, UNBUFFER),
        actions=("Restart the agent", "Stop the buffer"),
    )
    cells["metadata"]["runbook"]["name"] = "streaming-heartbeat"
    path = tmp_path / "streaming-heartbeat.ipynb"
    path.write_text(json.dumps(cells), encoding="utf-8")
    return Runbook.read(path)


@pytest.fixture
def story(tmp_path):
    told = Story(tmp_path / "INC-2041")
    told.opens()
    return told


def drawn(story, runbook, *, after=60):
    return board_of(story.timeline, runbook, now=START + timedelta(seconds=after))


def standings(board):
    return {(step.verb, step.title): step.standing for step in board.steps}


def test_what_has_not_run_is_not_run(story, runbook):
    """A new incident shows every step, and the first of them as the next."""
    board = drawn(story, runbook)

    assert set(standings(board).values()) == {StepState.NOT_RUN}
    assert board.next_step.title == LAG
    assert [section.name for section in board.sections] == ["Diagnosis", "Resolution Steps"]


def test_what_was_verified_before_an_action_is_next_though_its_clock_was_ahead(tmp_path, runbook):
    """The order of the timeline says what came first; two machines' clocks differ."""
    told = Story(tmp_path / "INC-2042")
    told.opens()
    for title in (LAG, "Part 0 is well", "Never read"):
        told.checks(title, Verdict.PASS, 1, "s")
    told.tell(Decided, option=RESTART, recommended=RESTART)
    told.verifies(LAG, Verdict.PASS, 1, "s")
    told.tell(Acted, after=-120, outcome=Outcome.DONE, **ACTION)
    cells = json.loads(runbook.path.read_text(encoding="utf-8"))
    source = f"incident.verify({LAG!r}, within=minutes(1))"
    cells["cells"].append({**cells["cells"][-1], "source": source})
    runbook.path.write_text(json.dumps(cells), encoding="utf-8")

    assert drawn(told, Runbook.read(runbook.path)).next_step.verb == "verify"


def test_a_whole_incident_stands_on_its_board(tmp_path, runbook):
    """Verdicts, choice and outcome; a step of the option not taken is no step to do."""
    timeline = heartbeat(tmp_path / "INC-2041")
    board = board_of(timeline, runbook, now=START + timedelta(hours=3))

    stood = standings(board)
    assert stood["check", LAG] is StepState.FAIL
    assert stood["check", "Part 0 is well"] is StepState.PASS
    assert stood["check", "Never read"] is StepState.NOT_RUN
    assert stood["act", "Restart the agent"] is StepState.DONE
    assert stood["act", "Stop the buffer"] is StepState.NOT_CHOSEN
    assert board.decided.option == RESTART
    assert [person.name for person in board.people] == ["alertmanager", "bob", "alice"]
    assert (board.update_due, board.escalation_due, board.next_step) == (None, None, None)
    assert board.elapsed_s < 3600, "a closed incident does not grow older"


def test_what_could_not_be_read_is_not_told_as_nothing_to_fix(story, runbook):
    """Unknown is never shown as well."""
    story.checks(LAG, Verdict.UNKNOWN, None)
    story.tell(Decided, option=None, recommended=None, verdict=Verdict.UNKNOWN)

    assert "Chosen: No check failed, but not everything" in board_text(drawn(story, runbook))


@pytest.mark.parametrize(
    ("verdict", "says"),
    [(Verdict.PASS, "runbook close INC-2041"), (Verdict.FAIL, "It is not verified.")],
)
def test_when_every_step_has_run_it_says_what_is_left(story, runbook, verdict, says):
    """Nobody has to know by heart how an incident ends, and a failed one does not look ended."""
    for title in (LAG, "Part 0 is well", "Never read"):
        story.checks(title, Verdict.FAIL, 9.4, "s")
    story.tell(Decided, option=RESTART, recommended=RESTART, reason="")
    assert says not in board_text(drawn(story, runbook))
    story.tell(Acted, outcome=Outcome.DECLINED, reason="Not confirmed.", **ACTION)
    assert "Next: Nothing was done." in board_text(drawn(story, runbook))
    story.tell(Acted, outcome=Outcome.DONE, **ACTION)
    story.verifies(LAG, verdict, 9.4, "s")

    assert says in board_text(drawn(story, runbook))
    story.tell(Closed, resolution="Over.")
    assert "Next:" not in board_text(drawn(story, runbook))


def test_what_was_verified_before_the_action_is_verified_again(story, runbook):
    """A reading from before the fix says nothing of the fix."""
    for title in (LAG, "Part 0 is well", "Never read"):
        story.checks(title, Verdict.FAIL, 9.4, "s")
    story.tell(Decided, option=RESTART, recommended=RESTART, reason="")
    story.verifies(LAG, Verdict.FAIL, 9.4, "s")
    story.tell(Acted, outcome=Outcome.DONE, **ACTION)
    assert drawn(story, runbook).next_step.title == LAG
    story.verifies(LAG, Verdict.PASS, 1, "s")

    assert drawn(story, runbook).next_step is None


def test_nobody_declined_what_was_not_chosen(story, runbook):
    """A cell that ran under another option is passed over, and reads so."""
    story.tell(Decided, option=RESTART, recommended=RESTART, reason="")
    other = {**ACTION, "title": "Stop the buffer", "option": UNBUFFER}
    story.tell(Acted, outcome=Outcome.DECLINED, reason="Not chosen.", **other)

    stood = standings(drawn(story, runbook))
    assert stood["act", "Stop the buffer"] is StepState.NOT_CHOSEN


def test_two_who_draw_see_the_same(tmp_path, runbook):
    """Nothing of it lives in a kernel: the file alone tells."""
    heartbeat(tmp_path / "INC-2041")
    at = START + timedelta(minutes=5)
    boards = [
        board_of(Timeline(tmp_path / "INC-2041" / "timeline.jsonl"), runbook, now=at)
        for _ in range(2)
    ]

    assert boards[0] == boards[1]


def test_an_update_is_due_15_minutes_after_the_last_words(story, runbook):
    """To tell others moves the clock; a note for the runbook's author does not."""
    assert drawn(story, runbook).update_due.at == START + timedelta(minutes=15)
    story.tell(Noted, after=100, text="Say what to post in #incidents.", runbook=True)
    assert drawn(story, runbook).update_due.at == START + timedelta(minutes=15)
    note = story.tell(Noted, text="Told #incidents: we restart the agent.")

    board = drawn(story, runbook, after=16 * 60)
    assert board.update_due.at == note.at + timedelta(minutes=15)
    assert board.update_due.left_s > 0


@pytest.mark.parametrize(("severity", "after_min"), [("SEV1", 30), ("SEV-2", 60), ("SEV3", None)])
def test_escalation_is_due_by_severity(tmp_path, runbook, severity, after_min):
    """Half an hour for a SEV1, an hour for a SEV2, none below."""
    story = Story(tmp_path / "INC-1")
    story.opens(severity=severity)

    due = drawn(story, runbook).escalation_due
    assert (due and due.at) == (after_min and START + timedelta(minutes=after_min))


def test_another_organisation_has_its_own_clocks_and_people(tmp_path, runbook):
    """P1 is told of every five minutes, and goes to the duty manager."""
    terms = Terms(
        severities=(SeverityTerms(name="P1", update_every_s=300, escalate_after_s=600),),
        next_level=("Duty Manager",),
        update_channel="the bridge",
    )
    story = Story(tmp_path / "INC-1")
    story.opens(severity="p-1", terms=terms)
    board = drawn(story, runbook, after=301)

    assert board.update_due.at == START + timedelta(minutes=5)
    assert board.escalation_due.at == START + timedelta(minutes=10)
    assert "Tell the others in the bridge" in board_text(board)
    story.tell(Noted, text="Called the engineering lead.")
    assert drawn(story, runbook).escalation_due is not None, "no such level here"
    story.tell(Noted, text="Called the duty manager.")
    assert drawn(story, runbook).escalation_due is None


def test_without_terms_no_clock_runs_and_a_broken_policy_is_named(tmp_path, runbook):
    """No clock is made up, and no channel either."""
    story = Story(tmp_path / "INC-1")
    story.opens(terms=Terms(problem="organisation.toml cannot be read as TOML."))
    board = drawn(story, runbook, after=3600 * 5)

    assert (board.update_due, board.escalation_due) == (None, None)
    assert "None runs: organisation.toml cannot be read" in board_text(board)
    assert "#incidents" not in board_text(board)


def test_an_old_reading_is_stale_until_the_close(story, runbook):
    """After its freshness a verdict tells of the past; on a closed incident all of it is past."""
    read_at = START + timedelta(seconds=5)
    old = evidence(0.4, "s", read_at=read_at)
    story.checks(LAG, Verdict.PASS, 0.4, "s", fresh_s=60, evidence=old)
    assert not drawn(story, runbook, after=65).steps[0].stale
    board = drawn(story, runbook, after=66)
    assert board.steps[0].stale
    assert f"✓ pass, stale  {LAG}" in board_text(board)
    story.tell(Closed)

    assert not drawn(story, runbook, after=90).steps[0].stale


def test_once_the_next_level_was_called_nothing_is_due_there(story, runbook):
    """A clock that cannot be stopped is soon not looked at."""
    story.tell(Noted, text="Called the Engineering Lead; she takes the customers.")

    assert drawn(story, runbook).escalation_due is None


def test_what_is_overdue_is_said_in_words(story, runbook):
    """A clock that ran out is not only red."""
    board = drawn(story, runbook, after=65 * 60)

    assert "update overdue by 50 min" in board_text(board)
    assert "escalation overdue by 5 min" in board_html(board)
    assert "incident.note('Told #incidents: …')" in board_text(board)


def test_a_done_action_stays_done_when_its_cell_runs_again(story, runbook):
    """To leave it alone is not to take it back; only its undo is."""
    story.tell(Decided, option=RESTART, recommended=RESTART, verdict=Verdict.FAIL)
    story.tell(Acting, approved_by="bob", **ACTION)
    assert standings(drawn(story, runbook))["act", "Restart the agent"] is StepState.BEGUN
    story.tell(Acted, outcome=Outcome.DONE, **ACTION)
    story.tell(Acted, outcome=Outcome.NOT_NEEDED, reason="Done before.", **ACTION)
    assert standings(drawn(story, runbook))["act", "Restart the agent"] is StepState.DONE
    story.tell(Undone, title="Restart the agent", outcome=Outcome.DONE, call="")
    assert standings(drawn(story, runbook))["act", "Restart the agent"] is StepState.UNDONE


def test_what_was_begun_stays_begun_on_the_board_until_it_is_settled(story, runbook):
    """No refusal ends it."""
    begun = story.tell(Acting, attempt="one.3", **ACTION)
    story.tell(Decided, option=RESTART, recommended=RESTART, verdict=Verdict.FAIL)
    story.tell(Acted, outcome=Outcome.DECLINED, **ACTION)
    assert standings(drawn(story, runbook))["act", begun.title] is StepState.BEGUN

    found = {"title": begun.title, "attempt": "one.3", "because": "I looked."}
    story.tell(Settled, outcome=Settlement.NOT_DONE, **found)
    assert standings(drawn(story, runbook))["act", begun.title] is StepState.NOT_DONE


def test_an_undo_that_was_settled_as_done_takes_its_action_back(story, runbook):
    """As one does that somebody saw end."""
    done = story.tell(Acted, outcome=Outcome.DONE, **ACTION)
    undo = {**ACTION, "title": f"{UNDO}{done.title}"}
    story.tell(Acting, attempt="one.5", **undo)
    story.tell(Settled, title=undo["title"], attempt="one.5", outcome=Settlement.DONE)

    assert standings(drawn(story, runbook))["act", done.title] is StepState.UNDONE


def test_an_answered_question_stays_answered_when_a_machine_asks_again(story, runbook):
    """As in the record: an answer counts before an open question."""
    asked = {"question": "Tell #incidents.", "owner": "Communications"}
    story.tell(Asked, answer="Posted.", **asked)
    story.tell(Asked, answer=None, **asked)

    assert standings(drawn(story, runbook))["ask", "Tell #incidents."] is StepState.ANSWERED


def test_a_step_that_is_not_in_the_runbook_is_shown_as_such(story, runbook):
    """What a responder wrote at night did happen."""
    story.checks("Something else", Verdict.WARN, 6, "s")
    board = drawn(story, runbook)

    assert board.sections[-1].name == "Not in the runbook"
    assert [step.title for step in board.sections[-1].steps] == ["Something else"]


def test_another_runbook_of_the_same_incident_counts_for_people_and_clocks_only(story, runbook):
    """Its steps are on its own board."""
    run = {"run": "other", "by": "carol"}
    digests = {"runbook_digest": "", "environment": "lab", "parameters": {}, "attended": True}
    story.tell(Started, runbook="rollback", **digests, **run)
    story.checks("Something else", Verdict.WARN, 6, "s", **run)
    board = drawn(story, runbook)

    assert ("check", "Something else") not in standings(board)
    assert board.people[-1].name == "carol"


def test_production_is_unmistakable(story, runbook):
    """A word at the top, not a colour alone."""
    digests = {"runbook_digest": "", "parameters": {}, "attended": True, "production": True}
    story.tell(Started, runbook="streaming-heartbeat", environment="eu", **digests)
    board = drawn(story, runbook)

    assert board_text(board).startswith("PRODUCTION")
    assert "PRODUCTION" in board_html(board)


def test_each_step_says_who_what_and_when_and_leads_to_its_heading(story, runbook):
    """A board is a map: every step is one click away."""
    story.checks(LAG, Verdict.FAIL, 9.4, "s")
    html = board_html(drawn(story, runbook))

    assert "alice 18:04:05Z" in html
    assert "9.4 s, expected at most 5 s" in html
    assert f'href="#Check:-{LAG.replace(" ", "-")}"' in html


def test_a_board_runs_nothing(tmp_path, runbook):
    """Words of the timeline are words, whatever they hold."""
    hostile = '<script>alert(1)</script>"><img src=x onerror=alert(1)>'
    story = Story(tmp_path / hostile.replace("/", ""))
    story.opens(title=hostile)
    story.checks(hostile, Verdict.FAIL, hostile, hostile, by=hostile)
    story.tell(Asked, question=hostile, owner=hostile, answer=hostile)
    story.tell(Decided, option=hostile, recommended=hostile, reason=hostile)
    elements = Elements(board_html(drawn(story, runbook)))

    assert not elements.runs_something()
    assert not elements.open
    assert Checked.kind not in elements.tags


def test_a_closed_incident_has_no_clock(story, runbook):
    """After the close nobody waits for an update."""
    story.tell(Closed, resolution="Over.")

    assert drawn(story, runbook).update_due is None
    assert "closed after" in board_text(drawn(story, runbook))


def test_an_approval_is_on_the_board_for_as_long_as_it_holds(story, runbook):
    """With who says to have given it, and until when; the newest of each person."""
    until = START + timedelta(minutes=30)
    yes = {"option": RESTART, "text": "x", "parameters": "x", "by": "ada"}
    story.tell(Approved, expires_at=START + timedelta(seconds=90), **yes)
    story.tell(Approved, expires_at=until, **yes)
    board = drawn(story, runbook)

    assert [each.expires_at for each in board.approvals] == [until]
    assert f"Approved: {RESTART}, says to be ada, until " in board_text(board)
    assert drawn(story, runbook, after=30 * 60).approvals == ()


def test_a_board_that_is_drawn_on_and_on_is_the_one_that_is_drawn_at_once(story, runbook):
    """Each event is looked at once, also where a run of another runbook begins in between."""
    fold = BoardFold(story.timeline, runbook)
    moment = START + timedelta(seconds=60)
    for tell in (
        lambda: story.tell(Noted, text="told", by="sam"),
        lambda: story.tell(Decided, option=RESTART, recommended=RESTART),
        lambda: story.tell(Acting, attempt="1", **ACTION),
        lambda: story.tell(Noted, text="before it is known whose run it is", run="other"),
        lambda: story.tell(
            Started,
            run="other",
            runbook="another",
            runbook_digest="",
            environment="lab",
            parameters={},
            attended=False,
        ),
        lambda: story.tell(Acted, attempt="1", outcome=Outcome.DONE, **ACTION),
    ):
        tell()
        assert fold.board(now=moment) == drawn(story, runbook)
