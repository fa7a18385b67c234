"""Once a person has thought, all is looked at again, and the close comes first."""

import pytest

from runbook_nb import above, at_most
from runbook_nb.errors import IncidentStateError
from runbook_nb.probes.calls import Probe
from runbook_nb.testing import RecordingAction
from runbook_nb.timeline.events import Closed

A = "Option A: Restart"
WORDS = {"because": "Lag", "risk": "Calls are cut.", "undo": "None needed."}


class Gauge:
    """A check that fails, and counts how often it was read."""

    def __init__(self):
        self.read = 0

    def __call__(self):
        def run(_systems):
            self.read += 1
            return 9

        return Probe(name="tests.lag", arguments={}, timeout_s=5, run=run, unit="s")


def test_nothing_more_is_read_once_it_was_closed_while_a_person_thought(night):
    """After the close the systems are somebody else's matter; no step asks them anything."""
    gauge, action, seen = Gauge(), RecordingAction(), []

    def closes(_question: str) -> str:
        night.timeline.append(Closed(at=night.clock.now(), by="kim"))
        seen.append(gauge.read)
        return "do"

    incident = night.incident(attended=True, ask=closes)
    limits = {"expect": at_most(5, "s"), "fail": above(8, "s")}
    incident.check("Lag", gauge(), if_failed=A, **limits)
    incident.decide(A, "Asked for.")
    with pytest.raises(IncidentStateError, match="was closed"):
        incident.act("Restart", action(), **WORDS)

    assert [gauge.read] == seen
    assert action.done == 0
    assert isinstance(night.timeline[-1], Closed)
