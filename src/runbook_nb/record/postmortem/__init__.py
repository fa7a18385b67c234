"""Looking back: two runs compared, and a first draft of the postmortem."""

from runbook_nb.record.postmortem.diff import Comparison, compare
from runbook_nb.record.postmortem.draft import draft_postmortem, write_draft
from runbook_nb.record.postmortem.run_lookup import Ran, find_run, last_validation

__all__ = [
    "Comparison",
    "Ran",
    "compare",
    "draft_postmortem",
    "find_run",
    "last_validation",
    "write_draft",
]
