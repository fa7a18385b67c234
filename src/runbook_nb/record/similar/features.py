"""What one incident is known again by: its failed checks, alert, runbooks, options and words."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from runbook_nb.record.facts.fold import first_alert, fold_actions
from runbook_nb.record.facts.types import ActionFacts
from runbook_nb.timeline.events import (
    DRILL,
    Checked,
    Closed,
    Decided,
    Event,
    Noted,
    Opened,
    Started,
    Verdict,
    Verified,
)

# Shorter words stand in every text.
_WORD: Final = re.compile(r"[^\W\d_]{4,}")


@dataclass(frozen=True, kw_only=True)
class Past:
    """One incident, as far as it can be known again.

    ``failed`` holds the titles of the checks that failed, ``words`` what people and alerts said,
    ``resolved_by`` what ended it, empty where nobody wrote that down.
    """

    incident: str
    title: str
    opened_at: datetime
    closed: bool
    is_drill: bool
    failed: frozenset[str]
    alert: str
    runbooks: frozenset[str]
    options: frozenset[str]
    words: frozenset[str]
    resolved_by: str

    @classmethod
    def of(cls, events: Sequence[Event]) -> "Past | None":
        """Fold the events of an incident; None where its beginning is lost."""
        opened = next((event for event in events if isinstance(event, Opened)), None)
        if opened is None:
            return None
        closed = next((event for event in events if isinstance(event, Closed)), None)
        alert = first_alert(events)
        ran = [event.runbook for event in events if isinstance(event, Started)]
        return cls(
            incident=opened.incident,
            title=opened.title,
            opened_at=opened.at,
            closed=closed is not None,
            is_drill=closed is not None and closed.resolution == DRILL,
            failed=frozenset(_failed(events)),
            alert=alert.name if alert else "",
            runbooks=frozenset(ran or [opened.runbook]),
            options=frozenset(_options(events)),
            words=frozenset(_words(events)),
            resolved_by=_resolved_by(events, closed),
        )


def _failed(events: Sequence[Event]) -> Iterator[str]:
    for event in events:
        if isinstance(event, Checked) and event.verdict is Verdict.FAIL:
            yield event.title


def _options(events: Sequence[Event]) -> Iterator[str]:
    for event in events:
        if isinstance(event, Decided) and event.option:
            yield event.option


def _words(events: Sequence[Event]) -> Iterator[str]:
    """Return the words that were said; a title is that of its runbook, and tells nothing more."""
    alert = first_alert(events)
    said = [alert.summary, alert.description] if alert else []
    said += [event.text for event in events if isinstance(event, Noted) and not event.runbook]
    said += [event.resolution for event in events if isinstance(event, Closed)]
    for text in said:
        yield from _WORD.findall(text.casefold())


def _resolved_by(events: Sequence[Event], closed: Closed | None) -> str:
    """Say what was done and whether it was verified, then the words of who closed it."""
    done = [_done(action, events) for action in fold_actions(events) if action.is_done]
    said = list(dict.fromkeys(done))
    if closed and closed.resolution and closed.resolution != DRILL:
        said.append(f"in words: {' '.join(closed.resolution.split())}")
    return "; ".join(said)


def _done(action: ActionFacts, events: Sequence[Event]) -> str:
    event = action.event
    later = [
        each
        for each in events
        if isinstance(each, Verified) and each.title == event.because and each.at >= event.at
    ]
    held = bool(later) and later[-1].verdict is Verdict.PASS
    option = f"{event.option}, " if event.option else ""
    return f"{option}“{action.title}” done, {'verified' if held else 'not verified'}"
