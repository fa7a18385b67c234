"""Whose yes an action needs: a name, a signature or two, by where it acts and what it does."""

import pytest

from runbook_nb import above, at_most
from runbook_nb.errors import ParameterError
from runbook_nb.testing import RecordingAction, scripted_probe
from runbook_nb.timeline.events import Acted, Acting, Outcome
from signers import make_signer, people

A = "Option A: Restart"
WORDS = {"risk": "Calls are cut.", "undo": "None needed."}


@pytest.fixture(scope="module")
def ada(tmp_path_factory):
    return make_signer(tmp_path_factory.mktemp("keys"), "ada@company.com", keys=2)


@pytest.fixture(scope="module")
def bob(tmp_path_factory):
    return make_signer(tmp_path_factory.mktemp("keys"), "bob@company.com")


@pytest.fixture
def act(night, ada, bob):
    """Diagnose in an environment and return what then acts there."""

    def ready(action, *, settings=None, **more):
        incident = night.incident(
            **{"systems": settings, "people": people(ada, bob), "actor": "sam", **more}
        )
        limits = {"expect": at_most(5, "s"), "fail": above(8, "s")}
        incident.check("Lag", scripted_probe(9, unit="s"), if_failed=A, **limits)
        incident.decide(A if more.get("attended") else None)

        def act():
            incident.act("Restart", action(), because="Lag", **WORDS)
            return night.timeline.last(Acted)

        act.incident = incident
        return act

    return ready


@pytest.fixture
def say_yes(night, ada, bob):
    """Approve by those who are named: with a key where they have one."""

    def say_yes(yeses):
        for name in () if yeses == "nobody" else yeses.split(", "):
            owner = {"ada": ada, "bob": bob}.get(name[:3])
            if owner is None:
                night.approve(A, by=name, requested_by="alertmanager")
                continue
            seal = owner.seals[-1 if "other" in name else 0]
            night.approve(A, by=owner.name, requested_by="alertmanager", seal=seal)

    return say_yes


@pytest.mark.parametrize(
    ("kind", "approve", "done"),
    [
        ("lab", None, 1),
        ("lab", "signed", 0),
        ("staging", None, 0),
        ("staging", "named", 1),
        ("production", None, 0),
        ("production", "named", 1),
    ],
)
def test_a_name_is_enough_in_the_lab_and_where_the_settings_say_so(night, act, kind, approve, done):
    """Elsewhere a name says nothing, and a yes needs a key."""
    action = RecordingAction()
    acts = act(action, kind=kind, settings={"approve": approve} if approve else None)
    night.approve(A, by="alex")
    acted = acts()

    assert action.done == done
    assert acted.outcome is (Outcome.DONE if done else Outcome.REHEARSED)
    if done:
        acting = night.timeline.last(Acting)
        assert (acting.approved_by, acting.approvers) == ("alex", {})


@pytest.mark.parametrize("kind", ["staging", "production"])
def test_a_signature_is_enough_for_what_can_be_undone(night, act, ada, kind):
    """And who said yes is the owner of the key."""
    action = RecordingAction()
    acts = act(action, kind=kind)
    night.approve(A, by=ada.name, seal=ada.seal)
    acts()

    acting = night.timeline.last(Acting)
    assert action.done == 1
    assert (acting.approved_by, acting.by) == (ada.name, "sam")
    assert acting.approvers == {ada.seal.fingerprint: ada.name}


@pytest.mark.parametrize("settings", [None, {"approve": "named"}], ids=["signed", "named"])
@pytest.mark.parametrize("attended", [True, False], ids=["by hand", "unattended"])
@pytest.mark.parametrize(
    "yeses",
    [
        "nobody",
        "sam, alex",
        "ada, alex",
        "ada",
        "ada, ada again",
        "ada, ada's other key",
    ],
)
def test_what_cannot_be_undone_in_production_needs_two_people(
    act, say_yes, settings, attended, yeses
):
    """Two names are none, and two keys of one person are one."""
    action = RecordingAction(irreversible=True)
    acts = act(action, kind="production", settings=settings, attended=attended, answers=("INC-1",))
    say_yes(yeses)

    assert acts().outcome is Outcome.REHEARSED
    assert action.done == 0


@pytest.mark.parametrize("attended", [True, False], ids=["by hand", "unattended"])
@pytest.mark.parametrize("yeses", ["ada, bob", "bob, ada, sam", "ada, ada again, bob"])
def test_two_people_are_enough_whoever_asked(night, act, say_yes, attended, yeses):
    """A yes that says nothing hides none that does."""
    action = RecordingAction(irreversible=True)
    acts = act(action, kind="production", attended=attended, answers=("INC-1",))
    say_yes(yeses)
    acts()

    assert action.done == 1
    named = night.timeline.last(Acting).approvers.values()
    assert set(named) == {"ada@company.com", "bob@company.com"}


@pytest.mark.parametrize("name", ["alertmanager", "ada@company.com", "ADA@company.com "])
def test_a_requester_who_lies_about_the_name_is_nobody_else(night, act, ada, name):
    """Neither as who asked, nor as who runs it, nor as who approves."""
    action = RecordingAction(irreversible=True)
    acts = act(action, kind="production", actor=name)
    night.approve(A, by=ada.name, seal=ada.seal, requested_by=name)
    night.approve(A, by=name, requested_by=name)
    acts()

    assert action.done == 0


def test_by_hand_the_typed_word_is_the_yes_for_what_can_be_undone(night, act):
    """Whoever types it says who they are, and no key does."""
    action = RecordingAction()
    act(action, kind="production", attended=True, answers=("INC-1",))()

    acting = night.timeline.last(Acting)
    assert (action.done, acting.approved_by, acting.approvers) == (1, "sam", {})


def test_two_signatures_by_hand_are_not_yet_the_word(night, act, ada, bob):
    """The responder still looks, and says no."""
    action = RecordingAction(irreversible=True)
    acts = act(action, kind="production", attended=True, answers=("no",))
    for signer in (ada, bob):
        night.approve(A, by=signer.name, seal=signer.seal)

    assert acts().outcome is Outcome.DECLINED
    assert action.done == 0


def test_an_approval_that_ends_while_the_responder_thinks_is_none(night, act, ada, bob):
    """All is looked at again before anything is sent."""
    action = RecordingAction(irreversible=True)

    def think(_question):
        night.clock.sleep(31 * 60)
        return "INC-1"

    acts = act(action, kind="production", attended=True, ask=think)
    for signer in (ada, bob):
        night.approve(A, by=signer.name, seal=signer.seal)

    assert acts().outcome is Outcome.REHEARSED
    assert action.done == 0


def test_where_it_cannot_be_told_whose_key_it_is_nothing_is_done(night, act, ada):
    """A wrong table of people stops no diagnosis, and no action passes by it."""

    class Wrong:
        def owner(self, _key):
            message = "people.ada, `keys`: it is no list."
            raise ParameterError(message)

    action = RecordingAction()
    acts = act(action, kind="staging", people=Wrong())
    night.approve(A, by=ada.name, seal=ada.seal)
    acted = acts()

    assert (action.done, acted.outcome) == (0, Outcome.REHEARSED)
    assert "people.ada" in acted.reason


def test_an_undo_needs_a_signature_too(night, act, ada):
    """A name does not take back what a key had done."""
    action = RecordingAction()
    acts = act(action, kind="staging")
    night.approve(A, by=ada.name, seal=ada.seal)
    acts()
    night.approve("Undo: Restart", by="alex")
    acts.incident.undo("Restart")
    assert (action.done, action.undone) == (1, 0)

    night.approve("Undo: Restart", by=ada.name, seal=ada.seal)
    acts.incident.undo("Restart")
    assert action.undone == 1
