"""The second night of the same trouble begins with what ended the first."""

import pytest

from runbook_nb.packs.control_plane.lab.faults import FAULTS

pytestmark = pytest.mark.slow


@pytest.fixture
def down(lab):
    """The agent is gone; whatever the test did, the lab is healed."""
    FAULTS["platform_down"].inject(lab)
    yield lab
    FAULTS["platform_down"].heal(lab)


@pytest.mark.timeout(300)
def test_a_run_names_the_night_that_was_like_this_one(runbook, down):
    """The first has nothing to name; the second names it, with the words of who closed it."""
    first = runbook("run", "incident_response", "--incident", "INC-7", expect=2)
    runbook("close", "INC-7", "--resolution", "The agent was started by hand.")
    second = runbook("run", "incident_response", "--incident", "INC-8", expect=2)

    assert "Seen before" not in first
    assert "Seen before: INC-7, resolved by: in words: The agent was started" in second
    assert "the same runbook, incident_response" in runbook("similar", "INC-8")
