"""The runbooks as a whole: which exist, how fresh they are, which one fits, who owns them."""

from runbook_nb.runbook.catalog.coverage import Coverage, coverage
from runbook_nb.runbook.catalog.entry import Entry, EntryState, read_entries
from runbook_nb.runbook.catalog.freshness import Freshness
from runbook_nb.runbook.catalog.owners import OwnerFinding, review_owners
from runbook_nb.runbook.catalog.search import Hit, search

__all__ = [
    "Coverage",
    "Entry",
    "EntryState",
    "Freshness",
    "Hit",
    "OwnerFinding",
    "coverage",
    "read_entries",
    "review_owners",
    "search",
]
