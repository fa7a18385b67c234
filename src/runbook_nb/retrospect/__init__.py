"""Looking back: two runs compared, and a first draft of the postmortem."""

from runbook_nb.retrospect.comparing import Comparison, compare
from runbook_nb.retrospect.finding import Ran, find_run, last_validation
from runbook_nb.retrospect.postmortem import draft_postmortem, write_draft

__all__ = [
    "Comparison",
    "Ran",
    "compare",
    "draft_postmortem",
    "find_run",
    "last_validation",
    "write_draft",
]
