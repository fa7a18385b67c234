"""The clocks of an incident: updates, escalation, and how long a reading stands."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from runbook_nb.incident.board.facts import Due
from runbook_nb.incident.messages import MessageFacts
from runbook_nb.timeline.events import Checked, SeverityTerms


def update_due(
    messages: Sequence[MessageFacts],
    *,
    terms: SeverityTerms | None,
    opened_at: datetime,
    now: datetime,
) -> Due | None:
    """Return when the next update is due, counted from the last message that was sent.

    None where the terms of the severity have no such clock.
    """
    if terms is None or terms.update_every_s is None:
        return None
    last = next((each.at for each in reversed(messages) if each.sent), opened_at)
    return _due(last + timedelta(seconds=terms.update_every_s), now)


def escalation_due(
    messages: Sequence[MessageFacts],
    *,
    terms: SeverityTerms | None,
    opened_at: datetime,
    now: datetime,
) -> Due | None:
    """Return when the next level is to be called; None once it was, or where no such time is."""
    called = any(message.sent and message.escalates for message in messages)
    if called or terms is None or terms.escalate_after_s is None:
        return None
    return _due(opened_at + timedelta(seconds=terms.escalate_after_s), now)


def is_stale(checked: Checked, *, now: datetime) -> bool:
    """Tell whether a reading is older than its check allows."""
    return (now - checked.evidence.read_at).total_seconds() > checked.fresh_s


def _due(at: datetime, now: datetime) -> Due:
    return Due(at=at, left_s=(at - now).total_seconds())
