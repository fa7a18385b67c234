"""What is read of the queue; nothing here can change it."""

from typing import Any

from runbook_nb import Reading, Systems, probe


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


def _get(systems: Systems, path: str) -> dict[str, Any]:
    answer: dict[str, Any] = systems.http("jobs").get(path).raise_for_status().json()
    return answer
