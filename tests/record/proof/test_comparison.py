"""What was told after the close is told from a story that was written anew."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from runbook_nb.record.close import close
from runbook_nb.record.proof import Change, verify_record
from runbook_nb.redaction import Redactor
from runbook_nb.timeline.events import Acted, Acting, Noted, Outcome, Verdict
from runbook_nb.timeline.folder import TIMELINE
from runbook_nb.timeline.writer import WritableTimeline
from story import opened_incident

DESCRIBED = {"title": "Restart", **dict.fromkeys(("call", "option", "because", "risk", "undo"), "")}


@pytest.fixture
def timeline(tmp_path):
    """Close an incident while an action was on its way."""
    opened = opened_incident(tmp_path)
    opened.append(Noted(at=datetime.now(UTC), text="We restarted it at three."))
    opened.append(Acting(at=datetime.now(UTC), attempt="run-1.3", **DESCRIBED))
    close(tmp_path, "INC-1", by="sam")
    return opened


def tell_late(timeline):
    told = {"title": "Restart", "call": "", "outcome": Outcome.DONE}
    timeline.append(Acted(at=datetime.now(UTC), attempt="run-1.3", **told))


def found(timeline):
    proof = verify_record(timeline.folder.path)
    return proof.verdict, [(each.change, each.path) for each in proof.problems]


def test_the_end_of_an_action_that_came_after_the_close_is_a_warning(timeline):
    """Nothing that was sealed is another."""
    tell_late(timeline)

    assert found(timeline) == (Verdict.WARN, [(Change.TOLD_LATE, TIMELINE)])


def test_a_story_that_was_written_anew_is_altered_whatever_came_after_it(timeline):
    """It fits its own hashes, ends with the close, and has a late word that would be fine."""
    events = list(timeline)
    timeline.path.unlink()
    forged = WritableTimeline(timeline.path, redactor=Redactor())
    for event in events:
        is_note = isinstance(event, Noted)
        forged.append(replace(event, text="We looked at it.") if is_note else event)
    tell_late(forged)
    verdict, problems = found(forged)

    assert verdict is Verdict.FAIL
    assert (Change.ALTERED, TIMELINE) in problems
