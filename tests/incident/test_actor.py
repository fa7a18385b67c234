"""Once a person has thought, all is looked at again, and the close comes first."""

import pytest

from runbook_nb import above, at_most
from runbook_nb.errors import IncidentStateError
from runbook_nb.probes.calls import Probe
from runbook_nb.testing import RecordingAction
from runbook_nb.timeline.events import Acted, Closed, Outcome, Undone

A = "Option A: Restart"
WORDS = {"because": "Lag", "risk": "Calls are cut.", "undo": "None needed."}


LIMITS = {"expect": at_most(5, "s"), "fail": above(8, "s")}


class Gauge:
    """A check that counts how often it was read, and fails while it is ``late``."""

    def __init__(self):
        self.read, self.late = 0, True

    def __call__(self):
        def run(_systems):
            self.read += 1
            return 9 if self.late else 1

        return Probe(name="tests.lag", arguments={}, timeout_s=5, run=run, unit="s")


def test_nothing_more_is_read_once_it_was_closed_while_a_person_thought(night):
    """After the close the systems are somebody else's matter; no step asks them anything."""
    gauge, action, seen = Gauge(), RecordingAction(), []

    def closes(_question: str) -> str:
        night.timeline.append(Closed(at=night.clock.now(), by="kim"))
        seen.append(gauge.read)
        return "do"

    incident = night.incident(attended=True, ask=closes)
    incident.check("Lag", gauge(), if_failed=A, **LIMITS)
    incident.decide(A, "Asked for.")
    with pytest.raises(IncidentStateError, match="was closed"):
        incident.act("Restart", action(), **WORDS)

    assert [gauge.read] == seen
    assert action.done == 0
    assert isinstance(night.timeline[-1], Closed)


def test_what_passes_by_the_time_the_word_is_typed_is_left_alone(night):
    """A person may think for minutes, and somebody else repair it."""
    gauge, action = Gauge(), RecordingAction()

    def repaired(_question: str) -> str:
        gauge.late = False
        return "do"

    incident = night.incident(attended=True, ask=repaired)
    incident.check("Lag", gauge(), if_failed=A, **LIMITS)
    incident.decide(A, "Asked for.")
    incident.act("Restart", action(), **WORDS)

    acted = night.timeline.last(Acted)
    assert (action.done, acted.outcome) == (0, Outcome.NOT_NEEDED)
    assert acted.reason == "The check that calls for it passes now."


def test_an_undo_takes_back_what_the_person_was_asked_about(night):
    """What was done anew meanwhile is another effect, with another result."""
    action = RecordingAction()

    def done_anew() -> str:
        told = {"at": night.clock.now(), "title": "Restart", "call": "tests.change()"}
        night.timeline.append(Undone(**told, outcome=Outcome.DONE))
        night.timeline.append(Acted(**told, outcome=Outcome.DONE))
        return "do"

    answers = iter([lambda: "do", done_anew])
    incident = night.incident(attended=True, ask=lambda _question: next(answers)())
    incident.check("Lag", Gauge()(), if_failed=A, **LIMITS)
    incident.decide(A, "Asked for.")
    incident.act("Restart", action(), **WORDS)
    incident.undo("Restart")

    undone = night.timeline.last(Undone)
    assert (action.done, action.undone, undone.outcome) == (1, 0, Outcome.DECLINED)
    assert "done anew meanwhile" in undone.reason
