"""Open a runbook by hand: find it, put a working copy into the incident, start JupyterLab."""

from runbook_nb.opening.copies import prepare
from runbook_nb.opening.finding import Found, by_words, of_incident
from runbook_nb.opening.servers import show

__all__ = ["Found", "by_words", "of_incident", "prepare", "show"]
