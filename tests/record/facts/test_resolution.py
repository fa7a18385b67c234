"""Fixed and verified is one answer for the whole incident, whichever run found it."""

import pytest

from runbook_nb.record.facts import Record
from runbook_nb.record.facts.resolution import ResolutionState
from runbook_nb.record.history.features import Past
from runbook_nb.record.history.line import line_of
from runbook_nb.record.postmortem import draft_postmortem
from runbook_nb.timeline.events import (
    Acted,
    Acting,
    Closed,
    Decided,
    Outcome,
    Started,
    Undone,
    Verdict,
)
from runbook_nb.timeline.log import Timeline
from story import ACTION, LAG, RESTART, RUN, Story, heartbeat

LOAD = "Load of the pool"
LATER = {"run": f"{RUN}-2", "by": "bob"}


@pytest.fixture
def story(tmp_path):
    told = Story(tmp_path / "INC-2041")
    told.opens()
    return told


def starts(story, **run):
    story.tell(
        Started,
        **run,
        runbook="streaming-heartbeat",
        runbook_digest="9f" * 32,
        environment="lab",
        parameters={},
        attended=True,
    )


def acts(story, *, because=LAG, **words):
    known = {**ACTION, "because": because, **words}
    story.tell(Acting, **known)
    story.tell(Acted, **known, outcome=Outcome.DONE)


def verifies(story, title):
    story.verifies(title, Verdict.PASS, 1, "s")


def test_every_reader_of_a_fix_by_a_second_run_says_the_same(story):
    """A machine acts and dies; a person takes over and verifies."""
    story.checks(LAG, Verdict.FAIL, 9, "s")
    story.checks(LOAD, Verdict.FAIL, 9, "s")
    story.tell(Decided, option=RESTART, recommended=RESTART)
    acts(story, because=f"{LAG}; {LOAD}")
    starts(story, **LATER)
    story.tell(Decided, option=None, recommended=None, **LATER)
    verifies(story, LAG)
    verifies(story, LOAD)
    story.tell(Closed, resolution="Restarted.")
    record = Record.of(story.timeline)
    phases = {phase.name: phase for phase in record.phases}

    assert record.headline.said == "Fixed and verified"
    assert "Verified: all 2 failed checks pass again." in record.summary
    assert phases["Verified"].at == record.verifications[-1].at
    assert phases["Diagnosed"].at == record.decisions[0].at
    assert record.to_json()["resolved"]["fixed"] is True
    assert line_of(record, story.timeline.path.parent).headline == "Fixed and verified"
    past = Past.of(list(story.timeline))
    assert past.is_over
    assert "“Restart the agent” done, verified" in past.resolved_by
    draft = draft_postmortem(record, list(story.timeline))
    assert f"**Fixed and verified.** Pass since: {LAG} and {LOAD}." in draft


def test_only_what_was_wrong_passes_again(story):
    """A check that never failed is verified too, and is not said to have recovered."""
    story.checks(LAG, Verdict.FAIL, 9, "s")
    story.checks(LOAD, Verdict.PASS, 1, "s")
    story.tell(Decided, option=RESTART, recommended=RESTART)
    acts(story)
    verifies(story, LAG)
    verifies(story, LOAD)
    story.tell(Closed, resolution="Restarted.")

    summary = Record.of(story.timeline).summary
    assert f"Verified: {LAG} passes again; {LOAD} passes as before." in summary


def test_a_later_run_that_finds_the_check_failing_again_takes_it_back(story):
    """No word of fixed is left anywhere."""
    story.checks(LAG, Verdict.FAIL, 9, "s")
    story.tell(Decided, option=RESTART, recommended=RESTART)
    acts(story)
    verifies(story, LAG)
    assert Record.of(story.timeline).resolved.is_fixed
    starts(story, **LATER)
    story.checks(LAG, Verdict.FAIL, 9, "s", **LATER)
    story.tell(Closed)
    record = Record.of(story.timeline)
    line = line_of(record, story.timeline.path.parent)

    assert record.headline.verdict is Verdict.FAIL
    assert record.resolved.broke == (LAG,)
    reached = {phase.name for phase in record.phases if phase.at}
    assert reached == {"Detected", "Acknowledged", "Diagnosed", "Closed"}
    assert record.to_json()["resolved"]["fixed"] is False
    assert (line.verdict, line.mitigate_s, line.resolve_s) == (Verdict.FAIL, None, None)
    past = Past.of(list(story.timeline))
    assert not past.is_over
    assert past.resolved_by == f"{RESTART}, “Restart the agent” done, not verified"
    assert "Fixed and verified" not in draft_postmortem(record, list(story.timeline))


def test_a_check_that_flaps_without_another_change_was_not_fixed(story):
    """That it passes again, nobody knows why."""
    story.checks(LAG, Verdict.FAIL, 9, "s")
    acts(story)
    verifies(story, LAG)
    story.checks(LAG, Verdict.FAIL, 9, "s")
    verifies(story, LAG)
    assert Record.of(story.timeline).resolved.state is ResolutionState.NOT_FIXED

    acts(story, title="Restart the database")
    verifies(story, LAG)
    assert Record.of(story.timeline).resolved.is_fixed
    first, second = Past.of(list(story.timeline)).resolved_by.split("; ")
    assert first.endswith("done, not verified")
    assert second.endswith("done, verified")


def test_a_failed_check_that_was_not_read_again_leaves_it_unverified(story):
    """Nobody knows whether it helped there."""
    story.checks(LAG, Verdict.FAIL, 9, "s")
    story.checks(LOAD, Verdict.FAIL, 9, "s")
    acts(story)
    verifies(story, LAG)
    record = Record.of(story.timeline)

    assert record.resolved.state is ResolutionState.NOT_VERIFIED
    assert record.resolved.unread == (LOAD,)
    assert record.headline.said == "Changed, but not verified"
    assert f"Not verified: {LOAD} was not read again." in record.summary


def test_readings_that_pass_after_a_change_verify_nothing_alone(story):
    """They must hold, and that is what a verification reads."""
    story.checks(LAG, Verdict.FAIL, 9, "s")
    acts(story)
    story.checks(LAG, Verdict.PASS, 1, "s")

    assert Record.of(story.timeline).resolved.state is ResolutionState.NOT_VERIFIED


def test_a_second_fix_of_another_check_leaves_the_first_one_verified(story):
    """Each check is held against what was done for it."""
    story.checks(LAG, Verdict.FAIL, 9, "s")
    acts(story)
    verifies(story, LAG)
    story.checks(LOAD, Verdict.FAIL, 9, "s")
    acts(story, because=LOAD, title="Empty the pool")
    assert not Record.of(story.timeline).resolved.is_fixed

    verifies(story, LOAD)
    assert Record.of(story.timeline).resolved.passing == (LAG, LOAD)
    assert Record.of(story.timeline).resolved.is_fixed


def test_a_fix_that_was_taken_back_fixed_nothing(story):
    """What recovered has done so by itself."""
    story.checks(LAG, Verdict.FAIL, 9, "s")
    acts(story)
    story.tell(Undone, title=ACTION["title"], outcome=Outcome.DONE, call="undo")
    assert Record.of(story.timeline).resolved.state is ResolutionState.NOT_FIXED

    story.checks(LAG, Verdict.PASS, 1, "s")
    found = Record.of(story.timeline)
    assert found.resolved.state is ResolutionState.RECOVERED
    assert found.headline.said == "Recovered while nothing was changed"


def test_what_a_change_made_fail_is_not_counted_with_what_was_found(story):
    """A rollback that breaks a check did not find it broken."""
    story.checks(LAG, Verdict.FAIL, 9, "s")
    story.checks(LOAD, Verdict.PASS, 1, "s")
    acts(story)
    story.checks(LOAD, Verdict.FAIL, 9, "s")
    record = Record.of(story.timeline)

    assert record.resolved.harmed == (LOAD,)
    assert record.summary[0] == (
        f"1 of 2 checks failed: {LAG}; only after a change did {LOAD} fail."
    )


def test_the_reason_of_an_action_is_a_check_that_failed(story):
    """Also where an older timeline names one that passed."""
    story.checks(LAG, Verdict.PASS, 1, "s")
    story.checks(LOAD, Verdict.FAIL, 9, "s")
    acts(story, because=f"{LAG}; {LOAD}")

    assert Record.of(story.timeline).actions[0].because == (LOAD,)


def test_of_a_timeline_that_is_not_whole_nobody_knows(tmp_path):
    """What comes after its first altered line may take it all back."""
    path = heartbeat(tmp_path / "INC-1").path
    path.write_bytes(path.read_bytes()[:-20])
    record = Record.of(Timeline(path))

    assert record.resolved.state is ResolutionState.NOT_KNOWN
    assert not record.to_json()["resolved"]["fixed"]
