"""One incident from the general protocol to the runbook that repairs it, and back to its end."""

import json

import pytest

from runbook_nb.packs.control_plane.lab.faults import FAULTS
from runbook_nb.packs.control_plane.lab.monitoring import wait_until_quiet
from runbook_nb.probes.environment import Environment

pytestmark = pytest.mark.slow


@pytest.fixture
def down(lab):
    """The agent is gone; whatever the test did, the lab is healed."""
    FAULTS["platform_down"].inject(lab)
    yield lab
    FAULTS["platform_down"].heal(lab)


@pytest.mark.timeout(600)
def test_three_runs_of_two_runbooks_are_one_incident(runbook, down):
    """Announced, handed over, repaired by the runbook that was named, and closed everywhere."""
    runbook("run", "incident_response", "--incident", "INC-7", "--approve", "A", expect=2)
    decided = last(runbook, "decided")
    assert decided["option"] == "Option A: Continue with heartbeat_failure_recovery"
    assert decided["ranked"][0]["failed"] == ["Agent health", "Heartbeat age"]

    command = ("run", "heartbeat_failure_recovery", "--incident", "INC-7")
    quick = ("-p", "window_s=30", "-p", "verify_within_s=60")
    runbook(*command, *quick, "--approve", "A", expect=None)
    assert "Restart the agent" in done(runbook)

    assert wait_until_quiet(down) == []
    runbook("run", "incident_response", "--incident", "INC-7", "--approve", "J", expect=0)
    assert done(runbook) == [
        "Announce: heartbeat_failure_recovery",
        "Restart the agent",
        "Close the incident everywhere",
    ]
    assert [path.name for path in runbook.incidents.iterdir() if path.is_dir()] == ["INC-7"]
    runs = {event["run"] for event in runbook.events("INC-7") if event["kind"] == "started"}
    assert len(runs) == 3
    told = runbook("close", "INC-7", "--announce")
    assert "Nobody answered: Post in #incidents" in told
    head = posted()["text"].split("--head ")[1]
    assert "your own key" in runbook("verify", "INC-7", "--head", head)
    assert "altered: timeline.jsonl" in runbook_after_a_change(runbook, head)


def test_without_a_yes_nobody_is_told(runbook, down):
    """The rehearsal says what would be written, paged, posted and published."""
    runbook("run", "incident_response", "--incident", "INC-8", expect=2)
    assert done(runbook, "INC-8") == []
    acted = [event for event in runbook.events("INC-8") if event["kind"] == "acted"]
    (rehearsed,) = [event for event in acted if event["outcome"] == "rehearsed"]
    said = json.dumps(rehearsed["rehearsal"])
    assert "SEV1: agent (INC-8)" in said
    assert "8 of 8 live missions affected" in said
    assert "Missions are slow or interrupted" in said


def posted():
    """Return the newest message of #incidents, read as a colleague's client does."""
    systems = Environment.load("lab").reading([])
    channel = systems.setting("slack", "incidents_channel")
    answer = systems.http("slack").get("/api/conversations.history", params={"channel": channel})
    systems.close()
    return answer.json()["messages"][0]


def runbook_after_a_change(runbook, head):
    """Change one byte of the timeline and return what verify says of it."""
    path = runbook.incidents / "INC-7" / "timeline.jsonl"
    path.write_bytes(path.read_bytes().replace(b"SEV1", b"SEV3", 1))
    return runbook("verify", "INC-7", "--head", head, expect=2)


def last(runbook, kind):
    return [event for event in runbook.events("INC-7") if event["kind"] == kind][-1]


def done(runbook, incident="INC-7"):
    return [
        event["title"]
        for event in runbook.events(incident)
        if event["kind"] == "acted" and event["outcome"] == "done"
    ]
