"""How the agent goes to another model and comes back; each machine that changes restarts."""

from typing import Final

from runbook_nb.errors import NothingDoneError
from runbook_nb.packs.control_plane.systems._fly import configure
from runbook_nb.packs.control_plane.systems._gemini_models import (
    MODEL,
    fallback,
    in_use,
    not_ready,
    usual,
)
from runbook_nb.packs.control_plane.systems.gemini_model._cost import cost
from runbook_nb.probes.calls import Systems, action
from runbook_nb.text.values import Json

# A model that is overloaded answers now and then.
READINGS: Final = 3


@action(timeout_s=150, repeatable=True, contained=True)
def fail_over(systems: Systems) -> Json:
    """Have the agent use the model that stands in; embeddings keep theirs.

    Raises NothingDoneError where that one does not answer three times, or has little quota left.
    """
    return _go_to(systems, fallback(systems))


@fail_over.rehearsal
def _(systems: Systems) -> Json:
    return _rehearse(systems, fallback(systems))


@fail_over.undo
def _(systems: Systems, result: Json) -> Json:
    return _restore(systems, result)


@action(timeout_s=150, repeatable=True, contained=True)
def return_to_usual(systems: Systems) -> Json:
    """Have the agent use its usual model again.

    Raises NothingDoneError where that one does not answer three times, or has little quota left.
    """
    return _go_to(systems, usual(systems))


@return_to_usual.rehearsal
def _(systems: Systems) -> Json:
    return _rehearse(systems, usual(systems))


@return_to_usual.undo
def _(systems: Systems, result: Json) -> Json:
    return _restore(systems, result)


def _go_to(systems: Systems, model: str) -> Json:
    _demand_ready(systems, model)
    before = configure(systems, {MODEL: model}, names=(MODEL,))
    return {"model": model, "before": before, "cost": cost(systems)}


def _restore(systems: Systems, result: Json) -> Json:
    for machine, before in result["before"].items():
        configure(systems, before, names=(MODEL,), only=machine)
    return {"restored": result["before"]}


def _rehearse(systems: Systems, model: str) -> Json:
    _demand_ready(systems, model)
    return {"now": in_use(systems), "would become": model, "cost": cost(systems)}


def _demand_ready(systems: Systems, model: str) -> None:
    for _ in range(READINGS):
        if reason := not_ready(systems, model):
            message = f"{model} could not serve the agent: {reason}. Nothing was changed."
            raise NothingDoneError(message)
