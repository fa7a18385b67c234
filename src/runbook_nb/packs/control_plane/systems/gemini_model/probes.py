"""What is read of the agent's model."""

from runbook_nb.packs.control_plane.systems._gemini import generate
from runbook_nb.packs.control_plane.systems._gemini_models import (
    fallback,
    in_use,
    not_ready,
    usual,
)
from runbook_nb.probes.calls import Reading, Systems, probe


@probe(unit="", timeout_s=25)
def answers(systems: Systems) -> Reading:
    """Return how the model that the agent uses answers a test; ``ok``, or the first that is not.

    The test begins as each of the planner's turns does, and takes one request of the quota.
    """
    machines = in_use(systems)
    words = {model: generate(systems, model) for model in sorted({*machines.values()})}
    worst = next((word for word in words.values() if word != "ok"), "ok")
    return Reading(value=worst, detail={"models": words, "machines": machines})


@probe(unit="", timeout_s=25)
def fallback_answers(systems: Systems) -> Reading:
    """Return whether the model that stands in answers, and has a fifth of its quotas left."""
    model = fallback(systems)
    return Reading(value=not_ready(systems, model) or "ok", detail={"model": model})


@probe(unit="machines", timeout_s=25)
def left_behind(systems: Systems) -> Reading:
    """Count the machines on another model than the usual one, though that could serve them.

    It could when it answers and has a fifth of each quota left; else the other one is right.
    """
    machines = in_use(systems)
    away = {machine: model for machine, model in machines.items() if model != usual(systems)}
    if not away:
        return Reading(value=0, detail={"machines": machines})
    reason = not_ready(systems, usual(systems))
    detail = {"machines": machines, "usual model": usual(systems), "why not back": reason}
    return Reading(value=0 if reason else len(away), detail=detail)
