"""The command and a lab that is not well: what a runbook is to find stays as it is."""

import pytest

from runbook_nb.packs.control_plane.lab.faults import FAULTS
from runbook_nb.packs.control_plane.lab.lab import Lab

pytestmark = pytest.mark.slow


def test_a_run_on_a_sick_lab_does_not_start_it_anew(runbook, lab, request):
    """The agent is stopped; the rows and the processes are the same afterwards."""
    request.addfinalizer(lambda: FAULTS["agent_hung"].heal(lab))
    FAULTS["agent_hung"].inject(lab)
    before = Lab(lab.folder).status()
    runbook("run", "heartbeat_failure_recovery", "-p", "window_s=30", expect=2)

    after = Lab(lab.folder).status()
    assert (after.postgres_pid, after.services) == (before.postgres_pid, before.services)
    assert not after.healthy


def test_an_unknown_fault_is_named_with_the_near_one(runbook):
    """One line, and nothing is broken."""
    out = runbook("lab", "inject", "agent_hang", expect=3)

    assert "agent_hung" in out
    assert out.count("\n") == 1
