"""How the model refuses, whose quota that is, and the way to another model and back."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from runbook_nb.errors import NothingDoneError
from runbook_nb.packs.control_plane.lab.emulators.gemini_models import FALLBACK, USUAL
from runbook_nb.packs.control_plane.lab.faults import FAULTS
from runbook_nb.packs.control_plane.lab.faults.outside import fly
from runbook_nb.packs.control_plane.systems import (
    gemini_missions,
    gemini_model,
    gemini_project,
)

pytestmark = [pytest.mark.lab, pytest.mark.slow]

WINDOW = timedelta(minutes=15)


@pytest.fixture
def fault(lab) -> Iterator[Callable[[str], None]]:
    """Inject by name; all is well afterwards."""
    names = ["model_minute_full"]

    def inject(name):
        names.append(name)
        FAULTS[name].inject(lab)

    yield inject
    for name in names:
        FAULTS[name].heal(lab)


def models(lab) -> set[str]:
    with fly(lab) as api:
        return {each["config"]["env"]["GEMINI_MODEL"] for each in api.get("/machines").json()}


def test_a_minute_that_others_fill_is_a_quota_and_no_outage(hands, fault):
    """The console tells of all callers; the missions that met it have stopped."""
    fault("model_minute_full")
    stopped = hands.read(gemini_missions.stopped(window=WINDOW))

    assert hands.value(gemini_model.answers()) == "quota used up"
    assert hands.value(gemini_project.standing()) == "open"
    assert hands.value(gemini_project.used(of="requests_a_minute")) >= 100
    assert hands.value(gemini_project.used(of="tokens_a_minute")) < 10
    assert hands.value(gemini_model.fallback_answers()) == "ok"
    assert stopped.value == 3
    assert {row["error_code"] for row in stopped.detail["stopped"]} == {"RESOURCE_EXHAUSTED"}
    assert all("RequestsPerMinute" in row["quota"] for row in stopped.detail["stopped"])


def test_closed_billing_is_no_quota(hands, fault):
    """No model answers, and no quota is used up."""
    fault("model_billing_closed")
    assert hands.value(gemini_project.standing()) == "billing closed"
    assert hands.value(gemini_model.fallback_answers()) == "billing closed"
    assert hands.value(gemini_project.used(of="requests_a_day")) < 80


def test_texts_of_one_tenant_may_be_held_back(hands, fault):
    """Those of three are the prompt; neither stops a mission for a quota."""
    fault("model_one_tenant_blocked")
    assert hands.value(gemini_missions.held_back(window=WINDOW)) == 1
    fault("model_holds_back.tenants")
    assert hands.value(gemini_missions.held_back(window=WINDOW)) > 1
    assert hands.value(gemini_missions.stopped(window=WINDOW)) == 0


def test_a_lowered_quota_is_seen_before_it_is_felt(hands, fault):
    """The console shows less than was agreed on."""
    assert hands.value(gemini_project.lowered()) == 0
    fault("model_quota_lowered")
    assert hands.value(gemini_project.lowered()) == 1
    assert hands.value(gemini_model.answers()) == "ok"


@pytest.mark.holds("gemini_model.fail_over", "gemini_model.return_to_usual")
def test_the_agent_goes_to_another_model_and_comes_back(lab, hands, fault):
    """Each way shows what a day costs, and can be taken back; what stopped can start again."""
    fault("model_day_used")
    shown = hands.rehearse(gemini_model.fail_over())
    gone = hands.do(gemini_model.fail_over())
    assert models(lab) == {FALLBACK}
    assert shown["cost"]["USD a day"].keys() == {USUAL, FALLBACK}
    assert hands.value(gemini_missions.stopped(window=WINDOW)) == 0
    assert hands.value(gemini_model.left_behind()) == 0  # the usual model cannot serve yet
    with pytest.raises(NothingDoneError, match="quota used up"):
        hands.do(gemini_model.return_to_usual())
    hands.undo(gemini_model.fail_over(), gone)
    assert models(lab) == {USUAL}

    FAULTS["model_day_used"].heal(lab)
    fault("model_fallback_left")
    assert hands.value(gemini_model.left_behind()) == 1
    hands.rehearse(gemini_model.return_to_usual())
    back = hands.do(gemini_model.return_to_usual())
    assert models(lab) == {USUAL}
    hands.undo(gemini_model.return_to_usual(), back)
    assert models(lab) == {FALLBACK}


def test_nobody_goes_to_a_model_that_has_no_room(lab, hands, fault):
    """The agent stays where it is."""
    fault("model_minute_full.all_models")
    with pytest.raises(NothingDoneError, match="quota used up"):
        hands.do(gemini_model.fail_over())
    assert models(lab) == {USUAL}


def test_only_a_mission_that_is_in_the_way_is_parked(hands, fault):
    """While there is room for all, and where it is urgent, it goes on."""
    parking = gemini_missions.park_largest(window=WINDOW)
    fault("model_busy_within")
    with pytest.raises(NothingDoneError, match="any more"):
        hands.rehearse(parking)
    fault("model_tokens_eaten.urgent")
    with pytest.raises(NothingDoneError, match="Ask its owner"):
        hands.do(parking)


@pytest.mark.holds("gemini_missions.park_largest")
def test_a_mission_that_sends_the_most_is_parked_and_let_go(hands, fault):
    """It stands as it stood afterwards."""
    parking = gemini_missions.park_largest(window=WINDOW)
    fault("model_tokens_eaten")
    assert hands.value(gemini_missions.largest_share(window=WINDOW)) > 90
    shown = hands.rehearse(parking)
    parked = hands.do(parking)
    assert hands.value(gemini_missions.largest_share(window=WINDOW)) == 0
    undone = hands.undo(parking, parked)

    assert shown["parked"] == parked["parked"]
    assert [row["mission_id"] for row in undone["at work again"]] == [
        row["mission_id"] for row in parked["parked"]
    ]
