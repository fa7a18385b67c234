"""What is changed in the queue: a rehearsal shows it first, and an undo takes it back."""

from typing import Any

from runbook_nb import Systems, action


@action()
def start_worker(systems: Systems) -> dict[str, Any]:
    """Start one worker more."""
    answer = systems.http("jobs").request("POST", "/workers").raise_for_status()
    return {"started": answer.json()["started"]}


@start_worker.rehearsal
def _(systems: Systems) -> dict[str, Any]:
    running = systems.http("jobs").get("/workers").raise_for_status().json()["pids"]
    return {"workers now": len(running), "workers then": len(running) + 1}


@start_worker.undo
def _(systems: Systems, result: dict[str, Any]) -> dict[str, Any]:
    pid = result["started"]
    systems.http("jobs").request("DELETE", f"/workers/{pid}").raise_for_status()
    return {"stopped": pid}
