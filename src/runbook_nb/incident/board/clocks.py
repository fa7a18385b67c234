"""The clocks of an incident: updates, escalation, and how long a reading stands."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from runbook_nb.incident.board.facts import Due
from runbook_nb.incident.messages import ESCALATE_AFTER, UPDATE_EVERY, MessageFacts
from runbook_nb.timeline.events import Checked

_LEVEL: Final = re.compile(r"SEV-?(\d)", re.IGNORECASE)


def update_due(messages: Sequence[MessageFacts], *, opened_at: datetime, now: datetime) -> Due:
    """Return when the next update is due: that long after the last message that was sent."""
    last = next((each.at for each in reversed(messages) if each.sent), opened_at)
    return _due(last + UPDATE_EVERY, now)


def escalation_due(
    messages: Sequence[MessageFacts], *, severity: str, opened_at: datetime, now: datetime
) -> Due | None:
    """Return when the next level is to be called; None once it was, or where no such time is."""
    level = _LEVEL.match(severity.strip())
    after = ESCALATE_AFTER.get(f"SEV{level[1]}") if level else None
    called = any(message.sent and message.escalates for message in messages)
    return _due(opened_at + after, now) if after and not called else None


def is_stale(checked: Checked, *, now: datetime) -> bool:
    """Tell whether a reading is older than its check allows."""
    return (now - checked.evidence.read_at).total_seconds() > checked.fresh_s


def _due(at: datetime, now: datetime) -> Due:
    return Due(at=at, left_s=(at - now).total_seconds())
