"""Run a notebook by papermill, and tell truly what became of it."""

from runbook_nb.execute.progress import Execution, Progress
from runbook_nb.execute.run import execute

__all__ = ["Execution", "Progress", "execute"]
