"""A run in a terminal, over ssh: the same steps, cards and questions, one after the other."""

from runbook_nb.runs.terminal.session import Session
from runbook_nb.runs.terminal.walk import Walk

__all__ = ["Session", "Walk"]
