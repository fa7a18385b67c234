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


def test_without_a_beginning_there_is_no_name():
    """Nothing is made up."""
    assert name_of([]) == ""
