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
    from runbook_nb.timeline.events import Impact, ImpactFigure, Outcome, Verdict
    from runbook_nb.timeline.log import Timeline

_PLACES = {
    "Action": "probes.calls",
    "Impact": "timeline.events",
    "ImpactFigure": "timeline.events",
    "Incident": "incident",
    "Limit": "probes.limits",
    "Outcome": "timeline.events",
    "Probe": "probes.calls",
    "Reading": "probes.calls",
    "Runbook": "runbook.runbook",
    "RunbookError": "errors",
    "Systems": "probes.calls",
    "Timeline": "timeline.log",
    "Verdict": "timeline.events",
    "above": "probes.limits",
    "action": "probes.calls",
    "at_least": "probes.limits",
    "at_most": "probes.limits",
    "below": "probes.limits",
    "between": "probes.limits",
    "empty": "probes.limits",
    "equals": "probes.limits",
    "hours": "text.durations",
    "minutes": "text.durations",
    "one_of": "probes.limits",
    "probe": "probes.calls",
    "seconds": "text.durations",
}

__all__ = [
    "Action",
    "Impact",
    "ImpactFigure",
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
