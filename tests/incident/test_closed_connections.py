"""Each call has connections of its own, and they are closed when it has ended, well or not."""

from datetime import UTC, datetime

import pytest

from runbook_nb import at_most
from runbook_nb.probes.calls import Action, Probe
from runbook_nb.timeline.events import Acting

SYSTEMS = {"agent": {"url": "http://127.0.0.1:9"}}
DESCRIBED = {"option": "Option A: Restart", **dict.fromkeys(("because", "risk", "undo"), "")}


class Held:
    """A call that opens a connection and keeps it, as no call should."""

    def __init__(self, answer):
        self.answer, self.connections = answer, []

    def __call__(self, systems, *_, **__):
        self.connections.append(systems.http("agent"))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    @property
    def are_closed(self):
        return [each._client.is_closed for each in self.connections]


answers = pytest.mark.parametrize("answer", [None, ValueError("none")], ids=["well", "failing"])


@answers
def test_a_reading_leaves_no_connection(night, answer):
    """A database in trouble can spare but a few."""
    call = Held(answer)
    probe = Probe(name="tests.held", arguments={}, timeout_s=5, run=call)
    incident = night.incident(systems=SYSTEMS)
    incident.check("Lag", probe, expect=at_most(5), if_failed="Option A: Restart")

    assert call.are_closed == [True]


def action(**calls):
    return Action(name="tests.change", arguments={}, timeout_s=5, **calls)


@answers
def test_a_rehearsal_leaves_no_connection(night, answer):
    """It writes, and takes back: what stayed open would hold its locks."""
    call = Held(answer)
    incident = night.incident(systems=SYSTEMS)
    incident.check("Lag", _late(), expect=at_most(5), if_failed="Option A: Restart")
    incident.decide()
    words = {"because": "Lag", "risk": "Calls are cut.", "undo": "None."}
    incident.act("Restart", action(run=lambda _systems: None, rehearse=call), **words)

    assert call.are_closed == [True]


@answers
def test_a_settling_probe_leaves_no_connection(night, answer):
    """It is asked again by each run until somebody knows."""
    call = Held(answer)
    restart = action(run=lambda _systems: None, settle=call)
    incident = night.incident(systems=SYSTEMS)
    night.timeline.append(
        Acting(
            at=datetime.now(UTC), title="Restart", call=str(restart), attempt="run-0.3", **DESCRIBED
        )
    )
    words = {"because": "Lag", "risk": "Calls are cut.", "undo": "None."}
    incident.check("Lag", _late(), expect=at_most(5), if_failed="Option A: Restart")
    incident.decide()
    incident.act("Restart", restart, **words)

    assert call.are_closed
    assert all(call.are_closed)


def _late():
    return Probe(name="tests.late", arguments={}, timeout_s=5, run=lambda _systems: 9)
