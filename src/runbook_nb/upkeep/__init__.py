"""Keep runbooks true: validate them by drills, learn from incidents, retire those outlived."""

from runbook_nb.upkeep.proposals import Proposal, proposals
from runbook_nb.upkeep.retiring import Retired, retire
from runbook_nb.upkeep.reviewing import Review
from runbook_nb.upkeep.validation import Validation, Validator, chosen, due

__all__ = [
    "Proposal",
    "Retired",
    "Review",
    "Validation",
    "Validator",
    "chosen",
    "due",
    "proposals",
    "retire",
]
