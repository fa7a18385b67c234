"""The queue of jobs: how long they wait, who takes them, and one worker more.

The service is reached at the setting ``url`` of the system ``jobs``.
"""

from typing import Any

from runbook_nb import Reading, Systems, action, probe


@probe(unit="s")
def longest_wait(systems: Systems) -> Reading:
    """Return how long the oldest job has waited that nobody took, in seconds; 0 for none."""
    queue = _get(systems, "/queue")
    return Reading(value=queue["longest_wait_s"], detail=queue)


@probe(unit="workers")
def workers(systems: Systems) -> Reading:
    """Return how many workers run."""
    found = _get(systems, "/workers")
    return Reading(value=len(found["pids"]), detail=found)


@action()
def start_worker(systems: Systems) -> dict[str, Any]:
    """Start one worker more."""
    answer = systems.http("jobs").request("POST", "/workers").raise_for_status()
    return {"started": answer.json()["started"]}


@start_worker.rehearsal
def _(systems: Systems) -> dict[str, Any]:
    running = len(_get(systems, "/workers")["pids"])
    return {"workers now": running, "workers then": running + 1}


@start_worker.undo
def _(systems: Systems, result: dict[str, Any]) -> dict[str, Any]:
    pid = result["started"]
    systems.http("jobs").request("DELETE", f"/workers/{pid}").raise_for_status()
    return {"stopped": pid}


def _get(systems: Systems, path: str) -> dict[str, Any]:
    answer: dict[str, Any] = systems.http("jobs").get(path).raise_for_status().json()
    return answer
