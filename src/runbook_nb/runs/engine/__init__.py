"""Run a notebook by papermill, and tell truly what became of it."""

from runbook_nb.runs.engine.execute import execute
from runbook_nb.runs.engine.progress import Execution, Progress

__all__ = ["Execution", "Progress", "execute"]
