"""Send a call to the systems, or rehearse it; a failure is an outcome here, never a crash."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from runbook_nb.incident.check import in_words
from runbook_nb.probes.calls import Action
from runbook_nb.probes.environment import Environment
from runbook_nb.text.values import Json
from runbook_nb.timeline.events import Outcome


@dataclass(frozen=True, kw_only=True)
class Sent:
    """What became of a call; ``reason`` says why it failed."""

    outcome: Outcome
    result: Json
    reason: str
    took_s: float

    def fields(self) -> dict[str, Any]:
        """Return the fields of an event that says so."""
        return vars(self).copy()


def send(call: Callable[[Any], Json], environment: Environment) -> Sent:
    """Run a call on writing connections; the caller records what is returned, then raises."""
    asked: list[str] = []
    systems = environment.writing(asked)
    started = time.perf_counter()
    try:
        result, outcome, reason = call(systems), Outcome.DONE, ""
    except Exception as error:  # noqa: BLE001 - recorded first, raised by the caller
        result, outcome, reason = {"sent": asked}, Outcome.FAILED, in_words(error)
    systems.close()
    took_s = round(time.perf_counter() - started, 3)
    return Sent(outcome=outcome, result=result, reason=reason, took_s=took_s)


def rehearse(action: Action, environment: Environment) -> tuple[Json, str]:
    """Return what the action would change, and the error if that cannot be told."""
    asked: list[str] = []
    systems = environment.writing(asked)
    try:
        return action.rehearsal(systems), ""
    except Exception as error:  # noqa: BLE001 - shown to the responder, or declined
        reason = in_words(error)
        return {"could not be rehearsed": reason, "asked": asked}, reason
    finally:
        systems.close()
