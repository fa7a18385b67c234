"""One reading of a runbook: its document, steps, parameters and pair, and the catalogue of all."""

from runbook_nb.runbook.folders import runbooks_folder
from runbook_nb.runbook.runbook import Runbook

__all__ = ["Runbook", "runbooks_folder"]
