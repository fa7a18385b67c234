"""What one incident is known again by: its failed checks, alert, runbooks, options and words."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from runbook_nb.record.facts.fold import fold_actions
from runbook_nb.record.facts.name import name_of
from runbook_nb.record.facts.resolution import fold_resolution, verified_actions
from runbook_nb.record.facts.types import ActionFacts
from runbook_nb.timeline import queries
from runbook_nb.timeline.events import (
    DRILL,
    Closed,
    Decided,
    Event,
    Noted,
    Reported,
)

# Shorter words stand in every text.
_WORD: Final = re.compile(r"[^\W\d_]{4,}")


@dataclass(frozen=True, kw_only=True)
class Past:
    """One incident, as far as it can be known again.

    ``failed`` holds the titles of the checks that failed, ``words`` what people and alerts said,
    ``resolved_by`` what ended it, empty where nobody wrote that down. ``is_over`` tells whether
    the trouble is known to have ended.
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
    is_over: bool

    @property
    def signs(self) -> list[str]:
        """What another incident must have one of to be compared; each is a line of its own."""
        said = {"failed": self.failed, "runbook": self.runbooks}
        said |= {"alert": frozenset({self.alert} - {""})}
        return [f"{kind} {json.dumps(one)}" for kind, every in said.items() for one in every]

    @classmethod
    def of(cls, events: Sequence[Event]) -> "Past | None":
        """Fold the events of an incident; None where its beginning is lost."""
        opened = queries.opened(events)
        if opened is None:
            return None
        closed, alert = queries.closed(events), queries.first_alert(events)
        actions = fold_actions(events)
        return cls(
            incident=opened.incident,
            title=name_of(events),
            opened_at=opened.at,
            closed=closed is not None,
            is_drill=closed is not None and closed.resolution == DRILL,
            failed=queries.failed(events),
            alert=alert.name if alert else "",
            runbooks=frozenset(queries.runbooks(events)),
            options=frozenset(each.option for each in queries.of(events, Decided) if each.option),
            words=frozenset(_words(events)),
            resolved_by=_resolved_by(events, actions, closed),
            is_over=fold_resolution(events, actions).is_over,
        )


def _words(events: Sequence[Event]) -> Iterator[str]:
    """Return the words that were said; a title is that of its runbook, and tells nothing more."""
    alert = queries.first_alert(events)
    said = [alert.summary, alert.description] if alert else []
    said += [note.text for note in queries.of(events, Noted) if not note.runbook]
    said += [report.words for report in queries.of(events, Reported)]
    for closed in queries.of(events, Closed):
        said += [closed.resolution, closed.statement.cause, closed.statement.users_saw]
    for text in said:
        yield from _WORD.findall(text.casefold())


def _resolved_by(
    events: Sequence[Event], actions: Sequence[ActionFacts], closed: Closed | None
) -> str:
    """Say what was done and whether it was verified, then the words of who closed it."""
    judged = zip(actions, verified_actions(events, actions), strict=True)
    done = (_done(action, verified=verified) for action, verified in judged if action.is_done)
    said = list(dict.fromkeys(done))
    if closed and closed.resolution and closed.resolution != DRILL:
        said.append(f"in words: {' '.join(closed.resolution.split())}")
    if closed and closed.statement.cause:
        said.append(f"cause: {' '.join(closed.statement.cause.split())}")
    return "; ".join(said)


def _done(action: ActionFacts, *, verified: bool) -> str:
    option = f"{action.event.option}, " if action.event.option else ""
    return f"{option}“{action.title}” done, {'verified' if verified else 'not verified'}"
