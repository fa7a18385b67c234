"""The turn: one acts at a time, and what was cut off keeps it until it has ended."""

import threading

import pytest

from runbook_nb import at_most
from runbook_nb.errors import ActionError, TurnTakenError
from runbook_nb.incident.dispatch import AttemptJournal
from runbook_nb.incident.place import Place
from runbook_nb.incident.turn import turn
from runbook_nb.probes.calls import Action, Probe
from runbook_nb.probes.environment import Environment
from runbook_nb.testing import scripted_probe
from runbook_nb.timeline.events import Acted, Acting, Outcome, Sending

A = "Option A: Restart"
WORDS = {"risk": "Calls are cut.", "undo": "None needed."}


def quiet(_text: str) -> None:
    """Say nothing."""


def test_a_call_that_was_cut_off_keeps_the_turn_until_it_has_ended(night):
    """A thread cannot be ended, and nobody acts beside it."""
    night.incident()
    held, systems = threading.Event(), Environment("trial", {}).reading([])
    probe = Probe(
        name="tests.wait", arguments={}, timeout_s=0.05, run=lambda _systems: held.wait(30)
    )
    with turn(night.timeline, say=quiet), pytest.raises(TimeoutError):
        probe.read(systems)
    with pytest.raises(TurnTakenError), turn(night.timeline, say=quiet, patience_s=0):
        pytest.fail("It was free.")
    held.set()

    with turn(night.timeline, say=quiet, patience_s=30):
        pass


def test_an_attempt_that_was_given_up_sends_nothing_more(night):
    """Its outcome is written already, so nothing may come after it."""
    incident = night.incident()
    described = dict.fromkeys(("call", "option", "because", "risk", "undo"), "")
    acting = night.timeline.append(
        Acting(at=night.clock.now(), title="Restart", attempt="run-1.2", **described)
    )
    journal = AttemptJournal(live=incident._live, acting=acting)
    journal.sending("agent")
    journal.give_up()
    with pytest.raises(ActionError, match="cut off"):
        journal.sending("database", transaction="7")

    assert [each.system for each in night.timeline.of(Sending)] == ["agent"]


def test_what_was_cut_off_is_waited_for_before_its_outcome_is_written(night):
    """Most calls end once their connections are gone, and then all of it is told."""
    order = []

    def run(systems):
        client = systems.http("agent")._client
        while not client.is_closed:
            threading.Event().wait(0.01)
        threading.Event().wait(0.2)
        order.append("ended")

    action = Action(name="tests.change", arguments={}, timeout_s=0.05, run=run)
    incident = night.incident(
        systems={"agent": {"url": "http://127.0.0.1:9"}},
        reached=lambda place: order.append("told") if place is Place.SENT else None,
    )
    probe = scripted_probe(9, unit="s")
    incident.check("Lag", probe, expect=at_most(5, "s"), if_failed=A)
    night.approve(A)
    incident.decide()
    with pytest.raises(ActionError, match="No answer within"):
        incident.act("Restart", action, because="Lag", **WORDS)

    assert order == ["ended", "told"]
    assert night.timeline.last(Acted).outcome is Outcome.FAILED
