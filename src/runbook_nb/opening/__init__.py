"""Open a runbook by hand: which one, in which working copy, in which JupyterLab."""

from runbook_nb.opening.choice import Choice, Unclear, by_alert, by_incident, by_words
from runbook_nb.opening.copies import Opening, prepare
from runbook_nb.opening.server import show

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
