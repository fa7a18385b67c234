"""A record says whose key said yes, and of a name alone that it only says so."""

from dataclasses import replace
from datetime import timedelta

import pytest

from runbook_nb.incident.cards import Card
from runbook_nb.incident.statement import signed
from runbook_nb.record.facts import Record
from runbook_nb.record.page import write_record
from runbook_nb.redaction import Redactor
from runbook_nb.timeline.events import Acted, Acting, Approved, Ended, Outcome, Started
from runbook_nb.timeline.writer import WritableTimeline
from signers import make_signer
from story import ACTION, RESTART, START, Story

LATER = "20261123T181000.000000Z-streaming-heartbeat"


@pytest.fixture
def ada(tmp_path):
    return make_signer(tmp_path / "keys", "ada@company.com")


@pytest.fixture
def story(tmp_path):
    """An incident with a run in production by somebody who says to be sam."""
    story = Story(tmp_path / "INC-2041")
    story.opens()
    story.tell(
        Started,
        run=LATER,
        by="sam",
        runbook="streaming-heartbeat",
        runbook_digest="9f" * 32,
        environment="live",
        parameters={},
        attended=False,
        production=True,
    )
    return story


def approval(by, seal=None, **more):
    words = {"option": RESTART, "text": "t", "parameters": "p", "requested_by": "alertmanager"}
    yes = Approved(at=START, by=by, expires_at=START + timedelta(minutes=30), **words, **more)
    return signed(yes, seal) if seal else yes


def acts(story, **approved):
    story.tell(Acting, run=LATER, by="sam", **approved, **ACTION)
    story.tell(Acted, run=LATER, by="sam", outcome=Outcome.DONE, took_s=4.1, **ACTION)
    story.tell(Ended, run=LATER, by="sam", runbook="streaming-heartbeat", complete=True)
    page = write_record(story.timeline.folder.path).read_text(encoding="utf-8")
    return page.partition("</style>")[2].partition('id="manual"')[0]


def test_a_name_that_no_key_proves_only_says_who_it_is(story):
    """Neither who approved, nor who acted in production, is told as a fact."""
    story.timeline.append(approval("bob"))
    page = acts(story, approved_by="bob")

    assert "says to be bob" in page
    assert "says to be sam" in page
    told = page.partition("</header>")[2]
    assert told.count("bob") == told.count("says to be bob")
    assert told.count("sam<") == told.count("says to be sam<")


def test_the_owner_of_a_key_is_told_by_name(story, ada):
    """The engine proved it before it acted, and wrote down whose key it was."""
    story.timeline.append(approval(ada.name, ada.seal))
    key = ada.seal.fingerprint
    page = acts(story, approved_by=ada.name, approvers={key: ada.name})

    assert f"By: {ada.name}, with the key {key}" in page
    assert f"says to be {ada.name}" not in page
    assert Record.of(story.timeline).owners == {key: ada.name}


def test_a_key_that_no_action_was_proven_by_leaves_a_name_a_name(story, ada, tmp_path):
    """Anybody can sign any name with a key of their own."""
    mallory = make_signer(tmp_path / "keys", "mallory")
    story.timeline.append(approval(ada.name, mallory.seal, nonce="1"))
    story.timeline.append(approval(ada.name, ada.seal, nonce="2"))
    page = acts(story, approved_by=ada.name, approvers={ada.seal.fingerprint: ada.name})

    assert f"says to be {ada.name}, with the key {mallory.seal.fingerprint}" in page
    assert f"By: {ada.name}, with the key {ada.seal.fingerprint}" in page


def test_a_card_says_the_same(ada):
    """A signature that does not fit is told."""
    whole = approval(ada.name, ada.seal)
    altered = replace(whole, option="Option B: Unbuffer")

    assert "says to be bob" in str(Card(approval("bob")))
    assert f"with the key {ada.seal.fingerprint}" in str(Card(whole))
    assert ada.seal.fingerprint not in str(Card(altered))
    assert "does not fit" in str(Card(altered))


def test_a_timeline_without_signatures_reads_as_before(tmp_path):
    """What was written before anybody signed has no new fields."""
    path = tmp_path / "INC-1" / "timeline.jsonl"
    timeline = WritableTimeline(path, redactor=Redactor())
    written = timeline.append(approval("bob"))

    assert (written.key, written.signature, written.nonce, written.seen) == ("", "", "", "")
    old = {"kind": "approved", "at": START.isoformat(), "by": "bob", "option": RESTART}
    old |= {"text": "t", "parameters": "p", "expires_at": START.isoformat()}
    from runbook_nb.timeline.log import decode

    assert decode(old).call_digests == {}
