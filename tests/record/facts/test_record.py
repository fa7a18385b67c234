"""A record is the timeline folded into facts, and claims nothing that is not on it."""

import json
from dataclasses import FrozenInstanceError

import pytest

from runbook_nb.record.facts import Record, read_events
from runbook_nb.record.history.features import Past
from runbook_nb.record.page.anchors import Anchors
from runbook_nb.record.page.timeline_view import curated
from runbook_nb.timeline.events import (
    Acted,
    Acting,
    Asked,
    Changed,
    Closed,
    Decided,
    Ended,
    IncidentStatus,
    Outcome,
    Stopped,
    Undone,
    Verdict,
)
from runbook_nb.timeline.log import Timeline
from story import ACTION, LAG, RESTART, START, Story, cut_off, healthy, heartbeat


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "INC-2041"


@pytest.fixture
def story(folder):
    told = Story(folder)
    told.opens()
    return told


def test_a_whole_incident_is_summed_up_in_three_sentences(folder):
    """What failed, what was done, whether it is verified."""
    failed = ("Sessions without a beat", "Longest silence", "Agent answers")
    record = Record.of(heartbeat(folder))

    assert record.summary == (
        f"4 of 10 checks failed: {LAG}, {', '.join(failed[:-1])} and {failed[-1]}.",
        f"{RESTART} was chosen; “Restart the agent” was done at 18:04:18 UTC.",
        "Verified: all 4 failed checks pass again.",
    )


def test_a_record_names_incident_people_and_times(folder):
    """Who, what, where, when."""
    record = Record.of(heartbeat(folder))

    assert (record.id, record.severity, record.environment) == ("INC-2041", "SEV2", "lab")
    assert record.status is IncidentStatus.CLOSED
    assert record.people == ("alertmanager", "alice", "bob")
    assert record.opened_at == START
    assert record.alert is not None
    assert record.runs[0].complete is True


def test_checks_keep_order_and_both_ends(folder):
    """Before and after stand side by side, in the order they were first read."""
    first, *_, last = Record.of(heartbeat(folder)).checks

    assert (first.title, first.before.verdict, first.verdict) == (LAG, Verdict.FAIL, Verdict.PASS)
    assert first.worst is Verdict.FAIL
    assert (last.title, last.after) == ("Part 5 is well", None)


def test_a_passed_verification_supersedes_the_failed_check(folder):
    """The verdict of a record is what was seen last of each check."""
    assert Record.of(heartbeat(folder)).verdict is Verdict.PASS


def test_the_verdict_is_the_worst_of_what_was_seen_last(story):
    """One unknown outweighs a warning; a failure outweighs all."""
    story.checks("A", Verdict.WARN, 6, "s")
    story.checks("B", Verdict.UNKNOWN, None)
    assert Record.of(story.timeline).verdict is Verdict.UNKNOWN

    story.checks("C", Verdict.FAIL, 9, "s")
    assert Record.of(story.timeline).verdict is Verdict.FAIL


def test_without_a_check_nothing_is_known(story):
    """Nothing that was not read is ever pass."""
    record = Record.of(story.timeline)

    assert record.verdict is Verdict.UNKNOWN
    assert record.summary[0] == "No check was read, so nothing is known."


def test_a_healthy_incident_says_that_nothing_was_wrong(folder):
    """A false alarm reads as one."""
    assert Record.of(healthy(folder)).summary == (
        "All 3 checks passed: nothing was found wrong.",
        "Nothing was changed.",
    )


def test_an_action_without_an_outcome_may_be_half_done(folder):
    """What was sent and never answered is the first thing a reader must know."""
    record = Record.of(cut_off(folder))

    assert record.actions[0].said == "cut off, may be half done"
    assert record.summary[1] == "“Restart the agent” was cut off and may be half done."
    assert record.stopped_at.endswith("The last step seen is act 'Restart the agent'.")
    assert record.summary[-1].endswith("The incident is still open.")


def test_an_outcome_of_another_run_does_not_finish_a_cut_off_action(folder):
    """The second attempt is an entry of its own."""
    timeline = cut_off(folder)
    timeline.append(Acted(at=START, run="second", outcome=Outcome.DONE, **ACTION))

    assert [action.said for action in Record.of(timeline).actions] == [
        "cut off, may be half done",
        "done",
    ]


@pytest.mark.parametrize("outcome", [Outcome.REHEARSED, Outcome.DECLINED, Outcome.NOT_NEEDED])
def test_what_was_not_done_changed_nothing(story, outcome):
    """Only done is done."""
    story.checks(LAG, Verdict.FAIL, 9, "s")
    story.tell(Acted, outcome=outcome, **ACTION)
    said = outcome.replace("_", " ")

    summed = Record.of(story.timeline).summary[1]
    assert summed == f"Nothing was changed: “Restart the agent” was {said}."


def test_an_undone_action_is_one_entry(story):
    """Done and taken back belong together, and nothing is left done."""
    story.tell(Acting, **ACTION)
    story.tell(Acted, outcome=Outcome.DONE, **ACTION)
    story.tell(Acting, **{**ACTION, "title": "Undo: Restart the agent"})
    assert Record.of(story.timeline).actions[0].said == "done, undo cut off, may be half done"

    story.tell(Undone, title="Restart the agent", outcome=Outcome.DONE, call="undo")
    actions = Record.of(story.timeline).actions
    assert [action.said for action in actions] == ["done, then undo done"]
    assert not actions[0].is_done


def test_a_check_that_does_not_recover_is_not_verified(story):
    """A fix that did not help is not told as one."""
    story.checks(LAG, Verdict.FAIL, 9, "s")
    story.tell(Acted, outcome=Outcome.DONE, **ACTION)
    story.verifies(LAG, Verdict.FAIL, 9.9, "s")

    assert f"Not verified: {LAG} did not pass again." in Record.of(story.timeline).summary


def test_a_check_that_fails_again_after_its_verification_is_said(story):
    """The newest reading has the last word."""
    story.checks(LAG, Verdict.FAIL, 9, "s")
    story.tell(Acted, outcome=Outcome.DONE, **ACTION)
    story.verifies(LAG, Verdict.PASS, 0.4, "s")
    story.checks(LAG, Verdict.FAIL, 9, "s")

    record = Record.of(story.timeline)
    assert f"Not verified: {LAG} passed after it and failed again." in record.summary
    assert record.to_json()["resolved"]["fixed"] is False


def test_a_done_action_without_verification_is_said(story):
    """Done is not the same as fixed."""
    story.checks(LAG, Verdict.FAIL, 9, "s")
    story.tell(Acted, outcome=Outcome.DONE, **ACTION)

    assert "Nothing was verified after it." in Record.of(story.timeline).summary


def test_a_stopped_run_says_why(story):
    """An early end has a meaning."""
    story.tell(Stopped, reason="This runbook does not apply.")

    assert Record.of(story.timeline).stopped_at == (
        "The run stopped early: This runbook does not apply."
    )


def test_a_run_that_did_not_end_says_where(story):
    """The last step seen is where to look."""
    story.checks(LAG, Verdict.FAIL, 9, "s")
    story.tell(Ended, runbook="streaming-heartbeat", complete=False, reason="The kernel died.")

    assert Record.of(story.timeline).stopped_at == (
        "The run of streaming-heartbeat did not come to its end: The kernel died. "
        f"The last step seen is check '{LAG}'."
    )


def test_an_answer_outlives_the_open_question(story):
    """A second run that leaves the question open does not unanswer it."""
    story.tell(Asked, question="Call?", owner="Lead", answer="Yes.")
    story.tell(Asked, question="Call?", owner="Lead")

    assert [step.answer for step in Record.of(story.timeline).manual_steps] == ["Yes."]


def test_a_decision_keeps_what_was_rejected(folder):
    """The option not taken stays in the record, with why."""
    decision = Record.of(heartbeat(folder)).decisions[0]

    assert decision.option == decision.recommended == RESTART
    assert len(decision.ranked) == 2


def test_facts_survive_json(folder):
    """A machine reads the same facts, times in UTC with Z."""
    facts = Record.of(heartbeat(folder)).to_json()

    assert json.loads(json.dumps(facts)) == facts
    assert facts["opened_at"] == "2026-11-23T18:04:00Z"
    assert facts["verdict"] == "pass"
    assert facts["actions"][0]["said"] == "done"


def test_a_record_cannot_be_changed(folder):
    """Facts are read, not written."""
    record = Record.of(healthy(folder))

    with pytest.raises(FrozenInstanceError):
        record.title = "Nothing happened"


def test_a_whole_timeline_is_valid(folder):
    """Integrity carries the head hash and the number of events."""
    timeline = healthy(folder)
    integrity = Record.of(timeline).integrity

    assert integrity.valid
    assert (integrity.head, integrity.events) == (timeline.head, len(timeline))


def test_an_altered_timeline_is_folded_up_to_the_alteration(folder):
    """What is proven stays readable; the rest is not told as fact."""
    path = heartbeat(folder).path
    lines = path.read_bytes().splitlines(keepends=True)
    lines[4] = lines[4].replace(b"fail", b"pass", 1)
    path.write_bytes(b"".join(lines))

    record = Record.of(Timeline(path))
    assert not record.integrity.valid
    assert record.integrity.events == 4
    assert "event 5" in record.integrity.message
    assert record.summary[0] == "Only the first 4 events can be proven; this tells of no more."
    assert "still open" not in " ".join(record.summary)
    assert record.id == "INC-2041"


def test_a_line_cut_off_by_a_crash_is_said(folder):
    """A torn end is neither hidden nor fatal."""
    path = healthy(folder).path
    path.write_bytes(path.read_bytes()[:-20])

    record = Record.of(Timeline(path))
    assert "cut off" in record.integrity.message
    assert len(record.checks) == 3


@pytest.mark.parametrize("content", [None, b"", b"\x00\xff\n", b"[]\n", b'{"hash":1}\n'])
def test_a_timeline_that_is_none_makes_an_empty_record(folder, content):
    """There is always something to show."""
    folder.mkdir()
    if content is not None:
        (folder / "timeline.jsonl").write_bytes(content)

    record = Record.of(Timeline(folder / "timeline.jsonl"))
    assert record.id == "INC-2041"
    assert record.verdict is Verdict.UNKNOWN
    assert record.integrity.valid is (content == b"")


def test_events_in_an_odd_order_are_folded(folder):
    """A record never falls over what is on its timeline."""
    story = Story(folder)
    for kind in (Closed, Stopped, Ended, Undone, Acted, Decided):
        words = {
            Stopped: {"reason": ""},
            Ended: {"runbook": "", "complete": False},
            Undone: {"title": "x", "outcome": Outcome.DONE, "call": ""},
            Acted: {"title": "x", "outcome": Outcome.DONE, "call": ""},
            Decided: {"option": None, "recommended": None},
        }
        story.forge(kind, **words.get(kind, {}))

    assert Record.of(story.timeline).title == ""


def test_a_record_holds_each_edit_of_a_step_once(story, folder):
    """Run twice with the same text, it is one edit; with a third text, it is another."""
    for after in ("two", "two", "three"):
        edit = {"verb": "check", "title": LAG, "before": "one", "after": after}
        story.timeline.append(Changed(at=START, **edit))

    assert [edit.after for edit in Record.of(story.timeline).changes] == ["two", "three"]


class Passes(list):
    """Events that count how often somebody goes through them."""

    count = 0

    def __iter__(self):
        """Count one pass."""
        self.count += 1
        return super().__iter__()

    def __getitem__(self, place):
        """Count a slice as a pass."""
        self.count += isinstance(place, slice)
        return super().__getitem__(place)


def night_of(folder, runs):
    """Tell so many runs, each with readings, an action and a verification."""
    story = Story(folder)
    story.opens()
    for number in range(runs):
        act = {**ACTION, "attempt": f"a{number}", "title": f"Restart {number}"}
        story.checks(LAG, Verdict.FAIL, 9, "s")
        story.tell(Acting, **act)
        story.tell(Acted, outcome=Outcome.DONE, **act)
        story.verifies(LAG, Verdict.PASS, 1, "s")
    return story.timeline


def test_however_many_events_there_are_they_are_read_as_often(tmp_path):
    """A long night is folded in the time of its length, not of its square."""
    counts = []
    for runs in (2, 20):
        timeline = night_of(tmp_path / f"INC-{runs}", runs)
        known, integrity = read_events(timeline)
        events = Passes(known)
        record = Record.of_events(events, folder=tmp_path, integrity=integrity)
        Past.of(events)
        list(curated(record, events, Anchors(record, events)))
        counts.append(events.count)

    assert counts[0] == counts[1]
