"""What happened before: every incident as one line, kept on disk and found by its words."""

from runbook_nb.record.history.history import History, Refreshed
from runbook_nb.record.history.line import (
    CheckLine,
    IncidentLine,
    IncidentStanding,
    OptionLine,
    RunLine,
    SkippedLine,
)
from runbook_nb.record.history.query import IncidentQuery, QueryResult

__all__ = [
    "CheckLine",
    "History",
    "IncidentLine",
    "IncidentQuery",
    "IncidentStanding",
    "OptionLine",
    "QueryResult",
    "Refreshed",
    "RunLine",
    "SkippedLine",
]
