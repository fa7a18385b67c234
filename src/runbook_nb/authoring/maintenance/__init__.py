"""Keep runbooks true: validate them by drills, learn from incidents, retire those outlived."""

from runbook_nb.authoring.maintenance.proposals import Proposal, proposals
from runbook_nb.authoring.maintenance.retire import Retired, retire
from runbook_nb.authoring.maintenance.review import Review
from runbook_nb.authoring.maintenance.validation import Validation, Validator, chosen, due

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
