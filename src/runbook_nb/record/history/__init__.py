"""What happened before: every incident as one line, kept on disk and found by its words."""

from runbook_nb.record.history.history import History, Refreshed
from runbook_nb.record.history.line import (
    CheckLine,
    Line,
    OptionLine,
    RunLine,
    SkippedLine,
    Standing,
)
from runbook_nb.record.history.query import Found, Wanted

__all__ = [
    "CheckLine",
    "Found",
    "History",
    "Line",
    "OptionLine",
    "Refreshed",
    "RunLine",
    "SkippedLine",
    "Standing",
    "Wanted",
]
