"""The incidents that are open, as the lists show them."""

from datetime import datetime
from functools import lru_cache
from pathlib import Path

from runbook_nb.errors import RunbookError
from runbook_nb.incident.cards.sidebar import ShownIncident
from runbook_nb.text.durations import words
from runbook_nb.timeline import queries
from runbook_nb.timeline.folder import IncidentFolder
from runbook_nb.timeline.incidents import maybe_open
from runbook_nb.timeline.log import Timeline


def open_incidents(incidents: Path, *, now: datetime) -> list[ShownIncident]:
    """Return the incidents that are open, newest first; one that cannot be read says so."""
    shown = (_open(folder, now=now) for folder in maybe_open(incidents))
    return [incident for incident in shown if incident is not None]


def _open(folder: IncidentFolder, *, now: datetime) -> ShownIncident | None:
    incident = folder.name
    try:
        timeline = read_on(folder.timeline)
        first = queries.opened(timeline)
        if first is None or queries.closed(timeline):
            return None
    except (RunbookError, OSError) as error:
        return ShownIncident(
            incident=incident, title=str(error), severity="?", runbook="", open_for="?"
        )
    return ShownIncident(
        incident=incident,
        title=first.title,
        severity=first.severity,
        runbook=first.runbook,
        open_for=words(round((now - first.at).total_seconds())),
    )


@lru_cache(maxsize=64)
def read_on(path: Path) -> Timeline:
    """Return a timeline that reads only what was added since the last look."""
    return Timeline(path)
