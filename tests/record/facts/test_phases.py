"""When each phase was reached, and how long people waited for a yes."""

from dataclasses import replace
from datetime import timedelta

import pytest

from runbook_nb.record.facts import Record
from runbook_nb.timeline.events import Acted, Approved, Closed, Decided, Outcome, Started, Verdict
from story import ACTION, ALERT, LAG, RESTART, START, Story, cut_off, healthy, heartbeat

ANNOUNCE = {
    **ACTION,
    "title": "Announce",
    "call": "row.opened + chat.announce(window=5 min)",
    "tells": ("incident row", "#incidents"),
}


@pytest.fixture
def story(tmp_path):
    return Story(tmp_path / "INC-2041")


def phases(timeline):
    return {phase.name: phase for phase in Record.of(timeline).phases}


def fixed(story, **action):
    """Decide, act and verify."""
    story.tell(Decided, option=RESTART, recommended=RESTART)
    story.tell(Acted, **{**ACTION, **action}, outcome=Outcome.DONE)
    story.verifies(LAG, Verdict.PASS, 1, "s")


def test_every_phase_of_a_whole_incident_is_reached_and_adds_up(tmp_path):
    """From the alert to the close nothing is left out."""
    record = Record.of(heartbeat(tmp_path / "INC-2041"))

    assert all(phase.at for phase in record.phases)
    total = sum(phase.took_s or 0 for phase in record.phases)
    assert total == (record.closed_at - record.opened_at).total_seconds()


def test_it_is_detected_when_the_alert_says_it_began(story):
    """The alert knows earlier than the incident."""
    story.opens(alert=replace(ALERT, starts_at=START - timedelta(minutes=4)))

    detected, acknowledged = list(phases(story.timeline).values())[:2]
    assert detected.at == START - timedelta(minutes=4)
    assert acknowledged.took_s == 244
    assert acknowledged.how == "alice, by hand"


def test_phases_that_were_not_reached_have_no_time(tmp_path):
    """A healthy incident has no action and no verification; a cut off one no end of it."""
    well = phases(healthy(tmp_path / "INC-1"))
    assert [name for name, phase in well.items() if phase.at is None] == ["Mitigated", "Verified"]
    assert well["Closed"].took_s == 2

    cut = phases(cut_off(tmp_path / "INC-2"))
    assert [name for name, phase in cut.items() if phase.at is None] == [
        "Mitigated",
        "Verified",
        "Closed",
    ]


def test_telling_people_mitigates_nothing(story):
    """An announcement before the fix, and one after it, are passed over."""
    story.opens()
    fixed(story, **ANNOUNCE)
    machine = {"runbook": "other", "runbook_digest": "ab", "environment": "lab", "parameters": {}}
    story.tell(Started, attended=False, **machine)
    fixed(story)
    story.tell(Acted, **{**ANNOUNCE, "title": "Close everywhere"}, outcome=Outcome.DONE)

    found = phases(story.timeline)
    assert found["Mitigated"].how == ACTION["title"]
    assert found["Mitigated"].at > found["Diagnosed"].at


def test_one_check_that_does_not_pass_again_leaves_it_unverified(story):
    """Verified is all of them."""
    story.opens()
    fixed(story)
    story.verifies("Load", Verdict.FAIL, 99, "s")

    assert phases(story.timeline)["Verified"].at is None


def test_waiting_for_approval_is_from_the_refusal_to_the_yes(story):
    """The machine asked, a person came."""
    story.opens()
    story.tell(Decided, option=RESTART, recommended=RESTART)
    story.tell(Acted, **ACTION, outcome=Outcome.REHEARSED, reason="It is not approved.")
    agreed = {"text": "a", "parameters": "b", "expires_at": START + timedelta(hours=1)}
    story.tell(Approved, after=90, option=RESTART, by="bob", **agreed)
    story.tell(
        Acted, **{**ACTION, "option": "B"}, outcome=Outcome.REHEARSED, reason="Not approved."
    )
    story.tell(Closed)

    given, open_still = Record.of(story.timeline).waits
    assert (given.took_s, given.by) == (90, "bob")
    assert (open_still.option, open_still.took_s) == ("B", None)
