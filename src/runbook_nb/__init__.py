"""Runbooks that run: live checks, approved actions, and a record that proves itself.

A notebook imports from here what its cells are written in::

    from runbook_nb import Incident, above, at_most, minutes

Names are loaded when they are first used, so that importing the package costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from runbook_nb.errors import ActionError, LabError, NoAnswerError, RunbookError
    from runbook_nb.incident import Incident
    from runbook_nb.probes.calls import Action, Probe, Reading, Systems, action, probe
    from runbook_nb.probes.combine import combine
    from runbook_nb.probes.lab_settings import forget_lab_settings, lab_folder, write_lab_settings
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
    from runbook_nb.runbook.lab import Fault, Lab, LabPart, LabStatus
    from runbook_nb.runbook.packs import Pack
    from runbook_nb.runbook.runbook import Runbook
    from runbook_nb.text.durations import hours, minutes, seconds
    from runbook_nb.timeline.events import Impact, ImpactFigure, Outcome, Verdict
    from runbook_nb.timeline.log import Timeline

_PLACES = {
    "Action": "probes.calls",
    "ActionError": "errors",
    "Fault": "runbook.lab",
    "Impact": "timeline.events",
    "ImpactFigure": "timeline.events",
    "Incident": "incident",
    "Lab": "runbook.lab",
    "LabError": "errors",
    "LabPart": "runbook.lab",
    "LabStatus": "runbook.lab",
    "Limit": "probes.limits",
    "NoAnswerError": "errors",
    "Outcome": "timeline.events",
    "Pack": "runbook.packs",
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
    "combine": "probes.combine",
    "empty": "probes.limits",
    "equals": "probes.limits",
    "forget_lab_settings": "probes.lab_settings",
    "hours": "text.durations",
    "lab_folder": "probes.lab_settings",
    "minutes": "text.durations",
    "one_of": "probes.limits",
    "probe": "probes.calls",
    "seconds": "text.durations",
    "write_lab_settings": "probes.lab_settings",
}

__all__ = [
    "Action",
    "ActionError",
    "Fault",
    "Impact",
    "ImpactFigure",
    "Incident",
    "Lab",
    "LabError",
    "LabPart",
    "LabStatus",
    "Limit",
    "NoAnswerError",
    "Outcome",
    "Pack",
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
    "combine",
    "empty",
    "equals",
    "forget_lab_settings",
    "hours",
    "lab_folder",
    "minutes",
    "one_of",
    "probe",
    "seconds",
    "write_lab_settings",
]


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    return getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)
