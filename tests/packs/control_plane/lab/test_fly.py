"""The emulator for Fly starts, stops and restarts the agent's machines."""

import os
import signal

import httpx
import pytest

from runbook_nb.timeline.store.embedded.processes import identify

pytestmark = [pytest.mark.lab, pytest.mark.slow]


def state(view):
    return view.machines()[0]["state"]


def test_a_wrong_token_is_refused(view):
    """Nothing is shown without the app's token."""
    refused = view.fly.get("/machines", headers={"authorization": "Bearer another"})

    assert refused.status_code == 401
    assert refused.json().keys() == {"error"}


def test_a_machine_shows_no_secret(view):
    """What the app's secrets are is in the process's environment alone."""
    shown = view.fly.get(f"/machines/{view.machines()[0]['id']}").text

    assert '"state":"started"' in shown
    assert view.lab.secret("composio.token") not in shown
    assert "postgresql://" not in shown


def test_an_unknown_machine_is_not_found(view):
    """The error is an object, as in the API's documents."""
    missing = view.fly.post("/machines/0123456789abcd/restart")
    assert (missing.status_code, missing.json()) == (404, {"error": "machine not found"})


def test_a_halted_machine_can_be_restarted(view):
    """The process does not follow SIGTERM, so it is killed after a short grace."""
    view.signal_agent(signal.SIGSTOP)

    assert view.fly.post(f"/machines/{view.machines()[0]['id']}/restart").status_code == 200
    assert view.all_beat()


def test_a_killed_machine_stays_stopped(view, harmed_agent):
    """Its restart policy is no: somebody has to start it."""
    view.signal_agent(signal.SIGKILL)

    assert view.eventually(lambda: state(view) == "stopped")
    assert view.machines()[0]["events"][0]["type"] == "exit"
    assert not view.eventually(lambda: state(view) != "stopped", within_s=0.5)
    assert view.fly.post(f"/machines/{view.machines()[0]['id']}/restart").is_success


def test_a_stopped_machine_can_be_started(view):
    """Its sessions were terminated, and are active again."""
    machine = view.machines()[0]["id"]
    # A machine that has just started runs a part of them only.
    assert view.all_beat()
    assert view.fly.post(f"/machines/{machine}/stop").json() == {"ok": True}
    assert view.eventually(lambda: state(view) == "stopped")
    terminated = view.rows(
        "SELECT id FROM mission_sessions WHERE status = 'terminated' AND state ? 'runner'"
    )
    assert len(terminated) == 8

    began = view.fly.post(f"/machines/{machine}/start")
    assert began.json() == {"previous_state": "stopped"}
    assert view.all_beat()


def test_waiting_ends_when_the_state_is_there(view):
    """And with 408 when it does not come."""
    machine = view.machines()[0]["id"]

    assert view.fly.get(f"/machines/{machine}/wait", params={"state": "started"}).is_success
    late = view.fly.get(
        f"/machines/{machine}/wait", params={"state": "stopped", "timeout": "100ms"}
    )
    assert late.status_code == 408


def test_an_update_runs_the_new_configuration(view):
    """A new version of the machine has the new environment."""
    machine = view.machines()[0]
    config = machine["config"]
    changed = {**config, "env": {**config["env"], "HEARTBEAT_SECONDS": "0.5"}}
    updated = view.fly.post(f"/machines/{machine['id']}", json={"config": changed}).json()
    try:
        assert updated["instance_id"] != machine["instance_id"]
        since = view.now()
        assert view.eventually(lambda: len(view.beats(since)) >= 3 * 8, within_s=2)
    finally:
        view.fly.post(f"/machines/{machine['id']}", json={"config": config})
    assert view.all_beat()


@pytest.mark.parametrize("body", [{}, {"config": {"env": {"PORT": 1}}}, {"config": []}])
def test_a_configuration_that_is_none_is_refused(view, body):
    """The machine that runs is left alone."""
    machine = view.machines()[0]

    assert view.fly.post(f"/machines/{machine['id']}", json=body).status_code == 400
    assert view.machines()[0]["instance_id"] == machine["instance_id"]


def test_a_running_machine_is_destroyed_by_force_only(view):
    """Without it the answer is that a precondition failed."""
    machine = view.machines()[0]["id"]
    assert view.fly.delete(f"/machines/{machine}").status_code == 412


def test_a_machine_whose_process_cannot_start_is_an_error(view, harmed_agent):
    """The restart answers 500 with the reason."""
    machine = view.machines()[0]
    config = machine["config"]
    broken = {**config, "env": {**config["env"], "HEARTBEAT_SECONDS": "often"}}
    failed = view.fly.post(f"/machines/{machine['id']}", json={"config": broken})
    view.fly.post(f"/machines/{machine['id']}", json={"config": config})

    assert failed.status_code == 500
    assert "exit code is 1" in failed.json()["error"]


def test_the_services_end_when_asked(another_lab):
    """And the agent with them, without SIGKILL."""
    agent, services = another_lab.agent_pid(), another_lab.state.services_pid
    os.kill(services, signal.SIGTERM)

    assert another_lab.eventually(lambda: not identify(services) and not identify(agent))
    with pytest.raises(httpx.TransportError):
        another_lab.fly.get("/machines")
