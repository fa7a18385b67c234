"""Open a runbook by hand: which one, in which working copy, in which JupyterLab."""

from runbook_nb.runs.by_hand.choice import Choice, Unclear, by_alert, by_incident, by_words
from runbook_nb.runs.by_hand.server import show
from runbook_nb.runs.by_hand.working_copies import Opening, prepare

__all__ = [
    "Choice",
    "Opening",
    "Unclear",
    "by_alert",
    "by_incident",
    "by_words",
    "prepare",
    "show",
]
