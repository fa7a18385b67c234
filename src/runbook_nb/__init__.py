"""Runbooks that run: live checks, approved actions, and a record that proves itself.

A notebook imports from here what its cells are written in::

    from runbook_nb import Incident, above, at_most, minutes

Names are loaded when they are first used, so that importing the package costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from runbook_nb.errors import RunbookError
    from runbook_nb.incident import Incident
    from runbook_nb.probes.calls import Action, Probe, Reading, Systems, action, probe
    from runbook_nb.probes.limits import (
        Limit,
        above,
        at_least,
        at_most,
        below,
        between,
        empty,
        equals,
        one_of,
    )
    from runbook_nb.runbook.runbook import Runbook
    from runbook_nb.text.durations import hours, minutes, seconds
    from runbook_nb.timeline.events import Outcome, Verdict
    from runbook_nb.timeline.log import Timeline

_PLACES = {
    "Action": "calls",
    "Incident": "incident",
    "Limit": "limits",
    "Outcome": "model",
    "Probe": "calls",
    "Reading": "calls",
    "Runbook": "runbook",
    "RunbookError": "errors",
    "Systems": "calls",
    "Timeline": "timeline",
    "Verdict": "model",
    "above": "limits",
    "action": "calls",
    "at_least": "limits",
    "at_most": "limits",
    "below": "limits",
    "between": "limits",
    "empty": "limits",
    "equals": "limits",
    "hours": "durations",
    "minutes": "durations",
    "one_of": "limits",
    "probe": "calls",
    "seconds": "durations",
}

__all__ = [
    "Action",
    "Incident",
    "Limit",
    "Outcome",
    "Probe",
    "Reading",
    "Runbook",
    "RunbookError",
    "Systems",
    "Timeline",
    "Verdict",
    "above",
    "action",
    "at_least",
    "at_most",
    "below",
    "between",
    "empty",
    "equals",
    "hours",
    "minutes",
    "one_of",
    "probe",
    "seconds",
]


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    return getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)
