"""The clocks of an incident: updates, escalation, and how long a reading stands."""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from runbook_nb.board.facts import Due
from runbook_nb.model import Asked, Checked, Event, Noted

# Both as the runbook incident_response has them, under Update clock and Escalation clock.
UPDATE_EVERY: Final = timedelta(minutes=15)
ESCALATE_AFTER: Final = {1: timedelta(minutes=30), 2: timedelta(hours=1)}
_LEVEL: Final = re.compile(r"SEV-?(\d)", re.IGNORECASE)


def update_due(
    events: Sequence[Event], *, opened_at: datetime, told_by: frozenset[str], now: datetime
) -> Due:
    """Return when the next update is due: 15 minutes after the last words to others.

    These are a note of a person, and an answer to one of the questions ``told_by``, which ask to
    tell others.
    """
    last = next((event.at for event in reversed(events) if _tells(event, told_by)), opened_at)
    return _due(last + UPDATE_EVERY, now)


def escalation_due(*, severity: str, opened_at: datetime, now: datetime) -> Due | None:
    """Return when the next level is to be called; None for a severity without such a time."""
    level = _LEVEL.match(severity.strip())
    after = ESCALATE_AFTER.get(int(level[1])) if level else None
    return _due(opened_at + after, now) if after else None


def is_stale(checked: Checked, *, now: datetime) -> bool:
    """Tell whether a reading is older than its check allows."""
    return (now - checked.evidence.read_at).total_seconds() > checked.fresh_s


def _tells(event: Event, told_by: frozenset[str]) -> bool:
    if isinstance(event, Noted):
        return bool(event.by) and not event.runbook
    return isinstance(event, Asked) and event.answer is not None and event.question in told_by


def _due(at: datetime, now: datetime) -> Due:
    return Due(at=at, left_s=(at - now).total_seconds())
