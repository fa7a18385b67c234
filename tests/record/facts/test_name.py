"""Incidents of one runbook are told apart by their names."""

import pytest

from runbook_nb.record.facts.name import name_of
from runbook_nb.timeline.events import Acting, Closed, ClosingStatement, Verdict
from story import ACTION, LAG, Story

WHERE = "(lab, 23 Nov 2026, 18:04 UTC)"


@pytest.fixture
def story(tmp_path):
    told = Story(tmp_path / "INC-2041")
    told.opens(title="Heartbeat Failure Recovery — Operational Procedure")
    return told


def test_a_name_says_what_failed_where_and_when(story):
    """Not what a change broke afterwards; that a page is a procedure tells nothing."""
    assert name_of(list(story.timeline)) == f"Heartbeat Failure Recovery {WHERE}"
    story.checks(LAG, Verdict.FAIL, 9, "s")
    story.tell(Acting, **ACTION)
    story.checks("Load", Verdict.FAIL, 9, "s")

    assert name_of(list(story.timeline)) == f"Heartbeat Failure Recovery: {LAG} failed {WHERE}"


def test_the_cause_tells_more_than_what_failed(story):
    """Who closes it knows."""
    story.checks(LAG, Verdict.FAIL, 9, "s")
    story.tell(Closed, statement=ClosingStatement(cause="An export held the loop."))

    told = f"Heartbeat Failure Recovery: An export held the loop {WHERE}"
    assert name_of(list(story.timeline)) == told


def test_what_could_not_be_read_is_no_night_without_a_failure(story):
    """Its newest reading counts."""
    for title in ("Load", LAG, "Queue", "Beats"):
        story.checks(title, Verdict.UNKNOWN, None)
    story.checks("Load", Verdict.PASS, 1)

    told = f"Heartbeat Failure Recovery: {LAG}, Queue and 1 more could not be read {WHERE}"
    assert name_of(list(story.timeline)) == told
    for title in (LAG, "Queue", "Beats"):
        story.checks(title, Verdict.PASS, 1)
    assert name_of(list(story.timeline)) == f"Heartbeat Failure Recovery: nothing failed {WHERE}"


def test_without_a_beginning_there_is_no_name():
    """Nothing is made up."""
    assert name_of([]) == ""
