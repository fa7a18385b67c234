"""A verification holds as long as later readings say so."""

import pytest

from runbook_nb.record.facts import Record
from runbook_nb.timeline.events import Closed, Verdict
from story import LAG, Story


@pytest.fixture
def story(tmp_path):
    told = Story(tmp_path / "INC-2041")
    told.opens()
    told.checks(LAG, Verdict.FAIL, 9, "s")
    told.verifies(LAG, Verdict.PASS, 1, "s")
    return told


def said(story):
    return [held.said for held in Record.of(story.timeline).held]


def test_later_readings_that_pass_say_how_long_it_held(story):
    """As long as somebody looked, and no longer."""
    story.checks(LAG, Verdict.PASS, 1, "s", after=600)
    story.tell(Closed, after=600)

    assert said(story) == ["held for 10 min, as long as it was read"]


def test_the_first_reading_that_does_not_pass_ends_it(story):
    """A later pass does not mend that."""
    story.checks(LAG, Verdict.WARN, 6, "s", after=600)
    story.checks(LAG, Verdict.PASS, 1, "s", after=600)

    assert said(story) == ["did not hold: no longer passed 10 min later"]


def test_without_a_later_reading_only_the_close_is_known(story):
    """Nobody looked again."""
    assert said(story) == ["not read again"]
    story.tell(Closed, after=60)
    assert said(story) == ["not read again; closed 1 min later"]
