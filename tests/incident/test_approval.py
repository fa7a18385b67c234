"""A yes holds for what it was given for, for a while, and by somebody else where it must."""

from datetime import UTC, datetime, timedelta

import pytest

from runbook_nb.errors import ApprovalError
from runbook_nb.incident.approval import LIFETIME, ApprovalClaim, demand, same_person
from runbook_nb.timeline.events import Approved

NOW = datetime(2026, 11, 26, 3, 0, tzinfo=UTC)
OPTION = "Option A: Restart"


def approval(**changes):
    told = {
        "at": NOW - timedelta(minutes=5),
        "by": "ada",
        "option": OPTION,
        "text": "t",
        "parameters": "p",
        "calls": {"Restart": "agent.restart()"},
        "requested_by": "alertmanager",
        **changes,
    }
    return Approved(**{"expires_at": told["at"] + LIFETIME, **told})


def claim(**changes):
    told = {"option": OPTION, "title": "Restart", "call": "agent.restart()", "text": "t"}
    return ApprovalClaim(**{**told, "parameters": "p", "now": NOW, **changes})


def test_a_yes_to_this_call_holds():
    """For half an hour."""
    assert demand([approval()], claim()).by == "ada"
    with pytest.raises(ApprovalError):
        demand([], claim())


@pytest.mark.parametrize(
    "changes",
    [
        {"text": "other"},
        {"parameters": "other"},
        {"calls": {"Restart": "agent.restart(machine='all')"}},
        {"at": NOW - LIFETIME - timedelta(seconds=1)},
        {"expires_at": datetime(9999, 12, 31, tzinfo=UTC)},
        {"at": NOW + timedelta(days=1)},
    ],
    ids=["text", "parameters", "call", "expired", "without an end", "of tomorrow"],
)
def test_a_yes_to_anything_else_does_not_hold(changes):
    """Neither does one whose time none can have been given."""
    with pytest.raises(ApprovalError):
        demand([approval(**changes)], claim())


def test_a_newer_yes_that_does_not_hold_hides_no_older_one():
    """The requester's own does not undo a colleague's."""
    newer = approval(by="alertmanager")
    found = demand([newer, approval()], claim(second_person=True))

    assert found.by == "ada"


@pytest.mark.parametrize("name", ["ada", "Ada ", " ADA", "a\uff44a", "ada\u00a0"])
@pytest.mark.parametrize("place", ["requested_by", "acting"])
def test_one_person_is_no_second_one_however_the_name_is_typed(name, place):
    """Neither as who asked for the run, nor as who runs it now."""
    given = approval(requested_by=name) if place == "requested_by" else approval()
    asked = claim(second_person=True, acting=name if place == "acting" else "alertmanager")

    with pytest.raises(ApprovalError):
        demand([given], asked)


def test_two_people_are_two():
    """And a name within another is not it."""
    assert demand([approval()], claim(second_person=True, acting="sam")).by == "ada"
    assert not same_person("ada", "ada.b")
