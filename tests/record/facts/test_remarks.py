"""What an incident says about its runbooks, from its timeline."""

import pytest

from runbook_nb.record.facts.remarks import RemarkKind, remarks_of
from runbook_nb.timeline.events import Acted, Decided, Noted, Outcome, Started, Verdict
from story import ACTION, LAG, RESTART, UNBUFFER, Story, evidence


@pytest.fixture
def story(tmp_path):
    told = Story(tmp_path / "INC-2041")
    told.opens()
    return told


def remarks(story):
    return list(remarks_of(story.timeline.path.parent, list(story.timeline)))


def declined(story, option):
    story.tell(Acted, **{**ACTION, "option": option}, outcome=Outcome.DECLINED, reason="No.")


def test_an_action_of_an_option_that_was_not_chosen_is_not_skipped(story):
    """Only what belongs to the chosen option was left out by somebody."""
    story.tell(Decided, option=RESTART, recommended=RESTART)
    declined(story, UNBUFFER)
    declined(story, RESTART)

    (remark,) = remarks(story)
    assert (remark.kind, remark.step) == (RemarkKind.SKIPPED, ACTION["title"])


def test_a_slow_reading_is_said(story):
    """Half of the time a probe has is near its end."""
    story.checks(LAG, Verdict.PASS, 1, "s", evidence=evidence(1, "s", took_s=6.5))
    story.checks("Quick", Verdict.PASS, 1, "s")

    (remark,) = remarks(story)
    assert (remark.kind, remark.step) == (RemarkKind.SLOW, LAG)
    assert "6.5 s" in remark.said


def test_a_long_pause_of_a_responder_is_said_and_that_of_a_machine_is_not(story):
    """Somebody stood still before this step."""
    story.checks(LAG, Verdict.PASS, 1, "s", after=400)
    machine = {"runbook": "other", "runbook_digest": "ab", "environment": "lab", "parameters": {}}
    story.tell(Started, run="r2", attended=False, **machine)
    story.checks(LAG, Verdict.PASS, 1, "s", after=400, run="r2")

    (remark,) = remarks(story)
    assert remark.said == "6 min 40 s passed before it."


def test_a_note_for_the_runbook_is_a_remark_and_another_is_not(story):
    """Words about the night stay on the timeline."""
    story.tell(Noted, text="Say which queue.", runbook=True)
    story.tell(Noted, text="Coffee.")

    assert [remark.said for remark in remarks(story)] == ["Say which queue."]
