"""The folder of incidents: declare one, find one, join one."""

import fcntl
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from runbook_nb.errors import IncidentStateError, near
from runbook_nb.redaction import Redactor
from runbook_nb.timeline import queries
from runbook_nb.timeline.events import Alert, Alerted, Opened, Terms
from runbook_nb.timeline.folder import IncidentFolder, IncidentsFolder
from runbook_nb.timeline.log import Timeline
from runbook_nb.timeline.writer import WritableTimeline, closed_error

_NUMBERED: Final = re.compile(r"INC-(\d+)")
# Numbers begin here so that the ids of an incident and of a drill look alike in every list.
_FIRST: Final = 2001
_TAIL: Final = 4096  # bytes at the end of a timeline; its last lines are in them


def declare(
    incidents: Path,
    *,
    incident: str | None,
    title: str,
    severity: str,
    runbook: str,
    environment: str,
    by: str,
    alert: Alert | None,
    redactor: Redactor,
    terms: Terms | None = None,
) -> WritableTimeline:
    """Open an incident, or join the open one with this id or alert; return its timeline.

    ``terms`` are written when it is opened: one that is joined keeps those it was opened with.
    Raises IncidentStateError if the incident of that id is closed.
    """
    incidents.mkdir(parents=True, exist_ok=True)
    folder = IncidentsFolder(incidents)
    with _locked(folder.lock):
        if incident is None and alert is not None:
            incident = _open_for(incidents, alert)
        if incident is None:
            incident = _next_id(incidents)
        timeline = WritableTimeline(folder.incident(incident).timeline, redactor=redactor)
        if len(timeline) == 0:
            opened = Opened(
                at=datetime.now(UTC),
                by=by,
                incident=incident,
                title=title,
                severity=severity,
                runbook=runbook,
                environment=environment,
                alert=alert,
                terms=terms or Terms(),
            )
            timeline.append(opened)
        else:
            refuse_closed(timeline)
            if alert is not None:
                timeline.append(Alerted(at=datetime.now(UTC), by=by, alert=alert))
    return timeline


def find(incidents: Path, incident: str) -> Timeline:
    """Return the timeline of a known incident; raises IncidentStateError with near ids."""
    timeline = Timeline(IncidentsFolder(incidents).incident(incident).timeline)
    if not timeline.path.is_file():
        known = [each.name for each in IncidentsFolder(incidents).all()]
        message = f"No incident {incident!r} in {incidents}. {near(incident, known)}"
        raise IncidentStateError(message)
    return timeline


def maybe_open(incidents: Path) -> list[IncidentFolder]:
    """Return the incidents whose last lines do not say that they were closed, newest first.

    Closed incidents are the many; the end of the file tells without reading the rest.
    """
    folders = IncidentsFolder(incidents).newest_first()
    return [folder for folder in folders if not _ends_closed(folder.timeline)]


def refuse_closed(timeline: Timeline) -> None:
    """Raise IncidentStateError if the incident is closed."""
    if closed := queries.closed(timeline):
        raise closed_error(timeline, closed)


def beginning(timeline: Timeline) -> Opened:
    """Return how the incident began; raises IncidentStateError where that is lost."""
    first = queries.opened(timeline)
    if first is None:
        message = f"{timeline.path} does not begin with an opened incident."
        raise IncidentStateError(message)
    return first


def _open_for(incidents: Path, alert: Alert) -> str | None:
    """Return the open incident that this alert belongs to, newest first."""
    for folder in maybe_open(incidents):
        first = queries.opened(Timeline(folder.timeline))
        if first and first.alert and first.alert.fingerprint == alert.fingerprint:
            return folder.name
    return None


def _ends_closed(timeline: Path) -> bool:
    with timeline.open("rb") as file:
        file.seek(max(0, timeline.stat().st_size - _TAIL))
        return b'"kind":"closed"' in file.read()


def _next_id(incidents: Path) -> str:
    names = (_NUMBERED.fullmatch(path.name) for path in incidents.iterdir())
    return f"INC-{max((int(match[1]) for match in names if match), default=_FIRST - 1) + 1}"


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold a lock over all incidents, so that one alert delivered twice opens one."""
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
