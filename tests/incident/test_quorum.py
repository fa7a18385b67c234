"""A yes holds for what it was given for, for a while, and is whose key signed it."""

import json
import secrets
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from functools import partial

import pytest

from runbook_nb.errors import ApprovalError, IncidentStateError
from runbook_nb.incident.approval import LIFETIME, Approvable, Approver, approve, call_digest
from runbook_nb.incident.quorum import ApprovalClaim, demand
from runbook_nb.incident.statement import STATEMENT_TYPE, signed, signer, statement_of
from runbook_nb.redaction import Redactor
from runbook_nb.runbook.passkeys import challenge_of, written
from runbook_nb.runbook.people import People, Person
from runbook_nb.timeline.events import Approved, Closed, Noted
from runbook_nb.timeline.log import GENESIS, Timeline
from runbook_nb.timeline.writer import WritableTimeline
from signers import Device, make_signer, people

OPTION, CALL = "Option A: Drop", "agent.drop(table='jobs')"
WORDS = {"option": OPTION, "text": "t" * 64, "parameters": "p" * 64, "code": "c" * 64}
SEEN = {"calls": {"Drop": CALL}, "call_digests": {"Drop": call_digest(CALL)}}
PRODUCTION = 2


@pytest.fixture(scope="module")
def ada(tmp_path_factory):
    return make_signer(tmp_path_factory.mktemp("keys"), "ada@company.com", keys=2)


@pytest.fixture(scope="module")
def bob(tmp_path_factory):
    return make_signer(tmp_path_factory.mktemp("keys"), "bob@company.com")


@pytest.fixture
def timeline(tmp_path):
    """A timeline of two lines, the second of which is the newest that anybody saw."""
    timeline = WritableTimeline(tmp_path / "INC-1" / "timeline.jsonl", redactor=Redactor())
    for text in ("Opened.", "Rehearsed."):
        timeline.append(Noted(at=datetime.now(UTC), text=text))
    return timeline


@pytest.fixture
def given(timeline):
    """Return an approval that is not written yet, signed by a key after it was changed."""

    def given(who, *, seal=None, **changes):
        now = datetime.now(UTC)
        told = {
            **WORDS,
            **SEEN,
            "at": now,
            "expires_at": now + LIFETIME,
            "by": who.name,
            "incident": "INC-1",
            "requested_by": "alertmanager",
            "seen": timeline.head,
            "nonce": secrets.token_hex(16),
            **changes,
        }
        return signed(Approved(**told), seal or who.seal)

    return given


@pytest.fixture
def demanded(timeline, ada, bob):
    """Hold the approvals of the timeline against a claim, changed where a test is about it."""

    def demanded(known=(ada, bob), **changes):
        told = {**WORDS, "title": "Drop", "call": CALL, "now": datetime.now(UTC), **changes}
        return demand(timeline, ApprovalClaim(**told), lambda: people(*known))

    return demanded


def test_a_signed_yes_is_its_key_owners(timeline, ada, demanded):
    """For half an hour, and not before anybody said so."""
    with pytest.raises(ApprovalError):
        demanded()
    approve(timeline, Approvable(**WORDS, **SEEN, requested_by="sam"), ada.approver)

    yes = demanded()
    assert (yes.by, yes.approvers) == (ada.name, {ada.seal.fingerprint: ada.name})
    assert demanded(title="Another action of the option").by == ada.name


@pytest.fixture
def by_device(timeline, given):
    """Write the approval of a person with a passkey, and return that person."""

    def by_device(name, device, **changes):
        passkey = device.passkey
        drawn = replace(given(Approver(name=name)), key=str(passkey), **changes)
        assertion = written(device.assertion(challenge_of(statement_of(drawn))))
        timeline.append(replace(drawn, signature=assertion))
        return Person(name=name, keys=(passkey.fingerprint,), may=("approve",), passkeys=(passkey,))

    return by_device


def test_a_yes_by_a_passkey_counts_as_one_by_a_key_does(timeline, ada, by_device):
    """Two people, each with what they have, are two."""
    device = Device()
    cleo = by_device("cleo@company.com", device)
    told = {**WORDS, "title": "Drop", "call": CALL, "now": datetime.now(UTC)}
    known = People(persons=(ada.person, cleo))

    yes = demand(timeline, ApprovalClaim(**told), lambda: known)
    assert (yes.by, yes.approvers) == (cleo.name, {device.passkey.fingerprint: cleo.name})
    with pytest.raises(ApprovalError, match="two people, and one has signed"):
        demand(timeline, ApprovalClaim(**told, signatures=PRODUCTION), lambda: known)
    approve(timeline, Approvable(**WORDS, **SEEN, requested_by="sam"), ada.approver)
    both = demand(timeline, ApprovalClaim(**told, signatures=PRODUCTION), lambda: known)
    assert set(both.approvers.values()) == {ada.name, cleo.name}


def test_a_passkey_of_nobody_here_and_one_that_signed_another_thing_count_for_nothing(
    timeline, ada, by_device
):
    """As a key of nobody does."""
    by_device("cleo@company.com", Device())
    told = {**WORDS, "title": "Drop", "call": CALL, "now": datetime.now(UTC)}
    with pytest.raises(ApprovalError, match="nobody who may approve has that key"):
        demand(timeline, ApprovalClaim(**told), lambda: people(ada))
    last = Timeline(timeline.path)[-1]
    timeline.append(replace(last, option="Option B: Wipe"))
    assert signer(Timeline(timeline.path)[-1]) == ""


def test_a_yes_holds_until_its_end_and_not_at_it(timeline, ada, demanded):
    """A limit that is told as a time is that time."""
    yes = approve(timeline, Approvable(**WORDS, **SEEN, requested_by="sam"), ada.approver)

    assert demanded(now=yes.expires_at - timedelta(microseconds=1)).by == ada.name
    with pytest.raises(ApprovalError, match="expired"):
        demanded(now=yes.expires_at)


def test_what_is_signed_is_canonical_and_names_all_of_it(timeline, ada):
    """Anybody can check it, without this program."""
    yes = approve(timeline, Approvable(**WORDS, **SEEN, requested_by="sam"), ada.approver)
    told = json.loads(statement_of(yes))

    assert (
        statement_of(yes)
        == json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    )
    assert told["type"] == STATEMENT_TYPE
    assert (told["incident"], told["calls"]) == ("INC-1", {"Drop": CALL})
    assert told.keys() - {"type"} == vars(yes).keys() - {"signature"}
    assert signer(Timeline(timeline.path)[-1]) == ada.seal.fingerprint


@pytest.mark.parametrize(
    "changes",
    [
        {"signature": "", "key": ""},
        {"signature": ""},
        {"signature": "00" * 64},
        {"by": "bob@company.com"},
        {"parameters": "q" * 64},
        {"text": "u" * 64},
        {"code": "d" * 64},
        {"calls": {"Drop": "agent.drop(table='users')"}},
        {"call_digests": {"Drop": call_digest("agent.drop(table='users')")}},
        {"call_digests": {}},
        {"incident": "INC-2"},
        {"requested_by": "somebody"},
        {"nonce": "another"},
        {"seen": GENESIS},
        {"run": "run-1"},
        {"expires_at": datetime.now(UTC) + timedelta(minutes=29)},
    ],
    ids=", ".join,
)
def test_nothing_of_a_signed_yes_can_be_changed(timeline, ada, given, demanded, changes):
    """A line that somebody wrote into the timeline holds its chain, and no action."""
    timeline.append(replace(given(ada), **changes))

    claimed = {name: value for name, value in changes.items() if name in WORDS}
    with pytest.raises(ApprovalError):
        demanded(**claimed)
    timeline.verify()


@pytest.mark.parametrize(
    "changes",
    [
        {"expires_at": datetime(9999, 12, 31, tzinfo=UTC)},
        {"expires_at": datetime.now(UTC) + timedelta(days=1)},
        {
            "at": datetime(9999, 12, 31, 23, tzinfo=UTC),
            "expires_at": datetime(9999, 12, 31, 23, 20, tzinfo=UTC),
        },
        {"at": datetime.now(UTC) - LIFETIME, "expires_at": datetime.now(UTC)},
        {"expires_at": datetime(9999, 12, 31, 23, 59, tzinfo=timezone(-timedelta(hours=5)))},
        {"at": datetime(1, 1, 1, tzinfo=UTC), "expires_at": datetime(1, 1, 1, tzinfo=UTC)},
        {"at": datetime(1, 1, 1, tzinfo=UTC)},
        {"incident": "INC-2"},
        {"incident": ""},
        {"text": "u" * 64},
        {"parameters": "q" * 64},
        {"code": "d" * 64},
        {"code": ""},
        {"calls": {"Drop": "agent.drop(table='users')"}, "call_digests": {}},
        {"call_digests": {"Drop": call_digest("agent.drop(table='users')")}},
        {"seen": "f" * 64},
        {"seen": GENESIS},
        {"seen": ""},
        {"nonce": ""},
        {"by": "bob@company.com"},
        {"by": "ada@company.com "},
    ],
    ids=", ".join,
)
def test_a_signature_to_anything_else_does_not_hold(timeline, ada, given, demanded, changes):
    """Its owner signed it, and not for this."""
    timeline.append(given(ada, **changes))

    with pytest.raises(ApprovalError):
        demanded()


def test_code_that_cannot_be_read_is_approved_by_nobody(timeline, ada, given, demanded):
    """An empty digest is none."""
    timeline.append(given(ada, code=""))

    with pytest.raises(ApprovalError):
        demanded(code="")


def test_an_approval_of_another_incident_does_not_hold_here(tmp_path, timeline, ada, demanded):
    """Moved with its signature, line for line."""
    other = WritableTimeline(tmp_path / "INC-2" / "timeline.jsonl", redactor=Redactor())
    other.append(Noted(at=datetime.now(UTC), text="Opened."))
    moved = approve(other, Approvable(**WORDS, **SEEN, requested_by="sam"), ada.approver)
    timeline.append(moved)

    with pytest.raises(ApprovalError):
        demanded()


def test_an_approver_saw_this_timeline_as_it_was(timeline, ada, given, demanded):
    """What was written while they thought takes nothing from their yes."""
    yes = given(ada)
    later = WritableTimeline(timeline.path, redactor=Redactor())
    later.append(Noted(at=datetime.now(UTC), text="Later."))
    assert timeline.place_of(yes.seen) == 2
    timeline.append(yes)
    assert demanded().by == ada.name


@pytest.mark.parametrize(
    "owner",
    [
        Person(name="ada@company.com", keys=()),
        Person(name="ada@company.com", keys=(f"SHA256:{'A' * 43}",), may=("approve",)),
        None,
    ],
    ids=["no key", "another key", "nobody"],
)
def test_a_key_that_nobody_has_says_nothing(timeline, ada, given, owner):
    """Whatever name stands beside it."""
    timeline.append(given(ada))
    known = people()
    known = replace(known, persons=(owner,)) if owner else known
    claim = ApprovalClaim(**WORDS, title="Drop", call=CALL, now=datetime.now(UTC))

    with pytest.raises(ApprovalError):
        demand(timeline, claim, lambda: known)


def test_who_may_not_approve_does_not(timeline, ada, given, demanded):
    """A key proves who somebody is, and not what they may do."""
    timeline.append(given(ada))

    with pytest.raises(ApprovalError):
        demanded(known=(replace(ada, may=()),))


def test_what_cannot_be_undone_needs_two_people_whoever_asked(timeline, ada, bob, given, demanded):
    """Who asked for the run may be one of them, under any name."""
    timeline.append(given(ada, requested_by=ada.name))
    with pytest.raises(ApprovalError):
        demanded(signatures=PRODUCTION)
    timeline.append(given(bob))

    yes = demanded(signatures=PRODUCTION)
    assert set(yes.approvers.values()) == {ada.name, bob.name}


def test_two_keys_of_one_person_are_one_person(timeline, ada, given, demanded):
    """And so is one key twice, and a copy."""
    first = timeline.append(given(ada))
    timeline.append(given(ada))
    timeline.append(given(ada, seal=ada.seals[1]))
    timeline.append(first)

    assert demanded().by == ada.name
    with pytest.raises(ApprovalError):
        demanded(signatures=PRODUCTION)


def test_a_yes_counts_once(timeline, ada, given, demanded):
    """A copy of one that expired, or of one that holds, is none."""
    yes = timeline.append(given(ada))
    timeline.append(replace(yes))
    assert demanded().by == ada.name

    timeline.append(given(ada, nonce=yes.nonce, text="u" * 64))
    with pytest.raises(ApprovalError):
        demanded(text="u" * 64)


def test_a_newer_yes_that_does_not_hold_hides_no_older_one(timeline, ada, bob, given, demanded):
    """The requester's own, by name or by a key, does not undo a colleague's."""
    timeline.append(given(ada))
    timeline.append(given(bob))
    timeline.append(Approved(**WORDS, at=datetime.now(UTC), by="sam", expires_at=_soon()))
    timeline.append(given(bob, parameters="q" * 64))

    assert set(demanded(signatures=PRODUCTION).approvers.values()) == {ada.name, bob.name}


@pytest.mark.parametrize("name", ["alertmanager", "alice ", "ceo@company.com", "ada@company.com"])
def test_a_name_alone_is_enough_only_where_a_name_is_enough(timeline, demanded, name):
    """It says who it is, and proves nothing."""
    timeline.append(Approved(**WORDS, at=datetime.now(UTC), by=name, expires_at=_soon()))

    assert (demanded(signatures=0).by, demanded(signatures=0).approvers) == (name, {})
    for signatures in (1, PRODUCTION):
        with pytest.raises(ApprovalError):
            demanded(signatures=signatures)


def test_who_asks_no_key_needs_no_people(timeline):
    """A wrong table of people stops no drill."""
    timeline.append(Approved(**WORDS, at=datetime.now(UTC), by="sam", expires_at=_soon()))
    claim = ApprovalClaim(**WORDS, title="Drop", call=CALL, now=datetime.now(UTC), signatures=0)

    assert demand(timeline, claim, partial(pytest.fail, "people were read")).by == "sam"


def test_a_masked_call_is_held_to_what_was_not_masked(timeline, ada, demanded):
    """Two addresses are one mark, and not one call."""
    call, other = (f"mail.send(to='{name}@example.com')" for name in ("ada", "bob"))
    shown = Redactor().text(call)
    seen = {"calls": {"Mail": shown}, "call_digests": {"Mail": call_digest(call)}}
    assert shown == Redactor().text(other)
    approve(timeline, Approvable(**WORDS, **seen, requested_by="sam"), ada.approver)

    assert demanded(title="Mail", call=call).by == ada.name
    with pytest.raises(ApprovalError):
        demanded(title="Mail", call=other)


def test_what_would_be_masked_is_not_approved(tmp_path, ada):
    """It would never be the same again, so it is refused before it is written."""
    secret = "zq7-correct-horse"
    timeline = WritableTimeline(tmp_path / "INC-1" / "t.jsonl", redactor=Redactor([secret]))
    timeline.append(Noted(at=datetime.now(UTC), text="Opened."))
    before = timeline.path.read_bytes()
    approvable = Approvable(**WORDS, requested_by="sam")

    for wrong, who in (
        (replace(approvable, option=f"Option A: {secret}"), ada.approver),
        (replace(approvable, calls={"Drop": f"drop('{secret}')"}), ada.approver),
        (approvable, Approver(name=secret)),
    ):
        with pytest.raises(ApprovalError) as told:
            approve(timeline, wrong, who)
        assert secret not in str(told.value)
    assert timeline.path.read_bytes() == before


def test_a_closed_incident_takes_no_approval(timeline, ada, given):
    """Signed or not, given or written by hand."""
    timeline.append(Closed(at=datetime.now(UTC), by="sam"))
    before = timeline.path.read_bytes()

    with pytest.raises(IncidentStateError):
        approve(timeline, Approvable(**WORDS, requested_by="sam"), ada.approver)
    with pytest.raises(IncidentStateError):
        timeline.append(given(ada))
    assert timeline.path.read_bytes() == before


def _soon():
    return datetime.now(UTC) + timedelta(minutes=10)
