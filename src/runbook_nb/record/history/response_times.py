"""How long an incident took to be detected, mitigated and resolved, in seconds, by its phases.

Each begins when the trouble did: when the alert says it began, else when the incident was opened.
"""

from datetime import datetime

from runbook_nb.record.facts import Record


def to_detect(record: Record) -> float | None:
    """Return the time until the incident was opened; not known where no alert says the begin."""
    starts = record.alert.starts_at if record.alert else None
    return _between(starts, record.opened_at)


def to_mitigate(record: Record) -> float | None:
    """Return the time until the action was done that fixed it; not known of one that did not."""
    return _between(_reached(record, "Detected"), _reached(record, "Mitigated"))


def to_resolve(record: Record) -> float | None:
    """Return the time until the incident was closed; of one whose trouble is known to be over."""
    if not record.resolved.is_over:
        return None
    return _between(_reached(record, "Detected"), _reached(record, "Closed"))


def _reached(record: Record, name: str) -> datetime | None:
    return next((phase.at for phase in record.phases if phase.name == name), None)


def _between(begin: datetime | None, end: datetime | None) -> float | None:
    """Return the seconds between; clocks that disagree tell nothing."""
    if begin is None or end is None or end < begin:
        return None
    return (end - begin).total_seconds()
