"""Seen before: what the history knows of incidents that were like one, and what resolved them."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from runbook_nb.errors import IncidentStateError
from runbook_nb.record.history.features import Past
from runbook_nb.record.history.history import History
from runbook_nb.record.history.similarity import Similar, similar_to
from runbook_nb.timeline.events import Event

# Closing an incident waits for this: so many incidents that the history does not know yet are
# read, the newest first. The next one to ask reads as many more.
READ: Final = 2_000


@dataclass(frozen=True, kw_only=True)
class SeenBefore:
    """The similar incidents, and how many of the known ones were looked through for them.

    ``problem`` says why none were, and is empty where nothing is wrong.
    """

    similar: tuple[Similar, ...] = ()
    looked: int = 0
    known: int = 0
    problem: str = ""

    @property
    def caveat(self) -> str:
        """Say that not all were looked through; empty where they were."""
        if self.problem or self.looked == self.known:
            return self.problem
        return f"Only the newest {self.looked:,} of {self.known:,} incidents were looked through."


def seen_before(
    folder: Path,
    events: Sequence[Event],
    *,
    drills: bool = False,
    limit: int = 5,
    at_most: int = READ,
) -> SeenBefore:
    """Return what was like the incident of ``folder`` among those beside it.

    ``at_most`` is how many are read that the history does not know yet, the newest first. A
    timeline that was altered counts up to the first event that does not fit. A history that cannot
    be asked stops nobody: the answer says so.
    """
    subject = Past.of(events)
    if subject is None:
        return SeenBefore()
    try:
        history = History(folder.parent)
        try:
            refreshed = history.refresh(at_most=at_most)
            others = history.past(subject.signs, besides=folder.name)
        finally:
            history.close()
    except (sqlite3.Error, IncidentStateError, OSError) as error:
        return SeenBefore(problem=f"The incidents before it were not looked through: {error}")
    known = max(refreshed.total - 1, 0)
    return SeenBefore(
        similar=similar_to(subject, others, drills=drills, limit=limit),
        looked=known - len(refreshed.unread - {folder.name}),
        known=known,
    )
