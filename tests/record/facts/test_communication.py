"""Who was told, and what the platform's clock says was missed."""

from datetime import timedelta

import pytest

from runbook_nb.record.facts import Record
from runbook_nb.timeline.events import (
    Acted,
    Asked,
    Closed,
    Noted,
    Outcome,
    SeverityTerms,
    Terms,
)
from story import ACTION, START, Story

POST = "Post in #incidents: what users see."
ANNOUNCE = {
    **ACTION,
    "title": "Announce",
    "call": "row.opened + pager.page + chat.announce(incident='INC-7')",
    "tells": ("incident row", "page", "#incidents"),
}


@pytest.fixture
def story(tmp_path):
    told = Story(tmp_path / "INC-2041")
    told.opens()
    return told


def communication(story):
    return Record.of(story.timeline).communication


def test_a_done_announcement_is_a_message_on_its_channels(story):
    """A rehearsed one told nobody."""
    story.tell(Acted, **ANNOUNCE, outcome=Outcome.REHEARSED)
    story.tell(Acted, **ANNOUNCE, outcome=Outcome.DONE)

    (message,) = communication(story).messages
    assert message.channels == ("incident row", "page", "#incidents")
    assert message.sent
    assert story.timeline[message.seq - 1].outcome is Outcome.DONE


def test_a_failed_announcement_is_not_said_to_be_sent(story):
    """Some channel may have got it; nobody knows."""
    story.tell(Acted, **ANNOUNCE, outcome=Outcome.FAILED)

    assert [message.sent for message in communication(story).messages] == [False]


def test_a_post_by_hand_is_sent_when_it_is_answered(story):
    """Asked twice and answered once is one message."""
    story.tell(Asked, question=POST, owner="Communications", by="")
    assert [message.sent for message in communication(story).messages] == [False]

    story.tell(Asked, question=POST, owner="Communications", answer="Done.")
    story.tell(Asked, question=POST, owner="Communications", by="")
    (message,) = communication(story).messages
    assert (message.sent, message.by) == (True, "alice")


def test_every_answer_and_every_note_that_tells_is_an_update(story):
    """The next update is the same question again, or a note with the channel in it."""
    for _ in range(2):
        story.tell(Asked, after=600, question=POST, owner="Communications", answer="Done.")
    story.tell(Noted, after=600, text="Told #incidents: no news.")
    story.tell(Noted, text="We must call the Engineering Lead.")
    story.tell(Closed, after=60)

    assert [message.sent for message in communication(story).messages] == [True] * 3
    assert communication(story).missed == 0
    assert communication(story).is_kept


def test_a_step_that_tells_nobody_is_no_message(story):
    """Work is not communication."""
    story.tell(Asked, question="Open a ticket for the growing key.", owner="Runtime Steward")

    assert communication(story).messages == ()


@pytest.mark.parametrize(("minutes", "missed"), [(15, 0), (16, 1), (30, 1), (46, 3)])
def test_updates_are_due_every_15_minutes(story, minutes, missed):
    """Each quarter of an hour without a word is one missed update."""
    story.tell(Closed, after=minutes * 60 - 4)

    assert communication(story).missed == missed


def test_an_update_starts_the_clock_anew(story):
    """A silence says from when to when."""
    story.tell(Asked, after=10 * 60, question=POST, owner="Communications", answer="Done.")
    told = story.at
    story.tell(Closed, after=20 * 60)

    (silence,) = communication(story).silences
    assert (silence.begin, silence.end, silence.missed) == (told, story.at, 1)


def test_a_sev2_goes_to_the_next_level_after_an_hour(story):
    """Due and not met is missed; a call meets it."""
    story.tell(Closed, after=3700)
    late = communication(story)
    assert (late.escalation_due - START).total_seconds() == 3600
    assert late.escalated_at is None


def test_a_call_to_the_engineering_lead_escalates(story):
    """The manual step says who was called and when."""
    story.tell(Asked, question="Call the Engineering Lead.", owner="IC", answer="Called.")

    assert communication(story).escalated_at == story.at
    assert communication(story).escalation_due is None


def test_a_record_goes_by_the_terms_it_was_opened_with(tmp_path):
    """Another organisation tells of a P1 every ten minutes, whoever reads the record later."""
    story = Story(tmp_path / "INC-1")
    clocks = SeverityTerms(name="P1", update_every_s=600, escalate_after_s=1200)
    story.opens(severity="P1", terms=Terms(severities=(clocks,), next_level=("Duty Manager",)))
    story.tell(Noted, after=600 - 4, text="Called the duty manager.")
    story.tell(Closed, after=1201)

    told = communication(story)
    assert (told.missed, told.clocks) == (2, clocks)
    assert told.escalated_at == START + timedelta(minutes=10)


def test_without_a_clock_nothing_was_missed_and_nothing_due(tmp_path):
    """An organisation that decided nothing is not held to another one's clocks."""
    story = Story(tmp_path / "INC-1")
    story.opens(terms=Terms())
    story.tell(Noted, text="Told the others.")
    story.tell(Closed, after=3600 * 9)

    told = communication(story)
    assert not told.is_kept, "nobody promised an update"
    assert (told.missed, told.escalation_due, told.clocks) == (0, None, None)


def test_the_words_that_were_told_are_in_the_record(tmp_path):
    """As the rehearsal showed them, or as a person answered."""
    story = Story(tmp_path / "INC-2041")
    story.opens()
    post = {**ACTION, "title": "Announce", "tells": ("#incidents",)}
    told = {"would post": "*SEV2* Streams freeze for 8 tenants.", "channel": "C1"}
    story.tell(Acted, **{**post, "rehearsal": told}, outcome=Outcome.DONE)
    story.tell(Asked, question="Tell customers.", owner="Communications", answer="By mail: wait.")

    messages = Record.of(story.timeline).communication.messages
    assert [each.told for each in messages] == [told["would post"], "By mail: wait."]
