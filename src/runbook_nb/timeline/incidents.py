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
from runbook_nb.timeline.events import Alert, Alerted, Closed, Opened, Terms
from runbook_nb.timeline.folder import checked_id
from runbook_nb.timeline.log import Timeline

_NUMBERED: Final = re.compile(r"INC-(\d+)")
# Numbers begin here so that the ids of an incident and of a drill look alike in every list.
_FIRST: Final = 2001


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
) -> Timeline:
    """Open an incident, or join the open one with this id or alert; return its timeline.

    ``terms`` are written when it is opened: one that is joined keeps those it was opened with.
    Raises IncidentStateError if the incident of that id is closed.
    """
    incidents.mkdir(parents=True, exist_ok=True)
    with _locked(incidents / ".lock"):
        if incident is None and alert is not None:
            incident = _open_for(incidents, alert)
        if incident is None:
            incident = _next_id(incidents)
        timeline = Timeline(incidents / checked_id(incident) / "timeline.jsonl", redactor=redactor)
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


def find(incidents: Path, incident: str, *, redactor: Redactor | None = None) -> Timeline:
    """Return the timeline of a known incident; raises IncidentStateError with near ids."""
    timeline = Timeline(incidents / checked_id(incident) / "timeline.jsonl", redactor=redactor)
    if not timeline.path.is_file():
        known = [path.parent.name for path in incidents.glob("*/timeline.jsonl")]
        message = f"No incident {incident!r} in {incidents}. {near(incident, known)}"
        raise IncidentStateError(message)
    return timeline


def refuse_closed(timeline: Timeline) -> None:
    """Raise IncidentStateError if the incident is closed."""
    if closed := timeline.last(Closed):
        message = (
            f"{timeline.path.parent.name} was closed at {closed.at:%Y-%m-%d %H:%M:%SZ} by "
            f"{closed.by}. Open a new incident for what happens now."
        )
        raise IncidentStateError(message)


def opened(timeline: Timeline) -> Opened:
    """Return how the incident began."""
    first = timeline.last(Opened)
    if first is None:
        message = f"{timeline.path} does not begin with an opened incident."
        raise IncidentStateError(message)
    return first


def _open_for(incidents: Path, alert: Alert) -> str | None:
    """Return the open incident that this alert belongs to, newest first."""
    # Closed incidents are the many; their last line tells without reading the rest.
    paths = sorted(incidents.glob("*/timeline.jsonl"), key=lambda path: -path.stat().st_mtime)
    for path in paths:
        if b'"kind":"closed"' in path.read_bytes()[-4096:]:
            continue
        first = Timeline(path).last(Opened)
        if first and first.alert and first.alert.fingerprint == alert.fingerprint:
            return path.parent.name
    return None


def _next_id(incidents: Path) -> str:
    names = (_NUMBERED.fullmatch(path.name) for path in incidents.iterdir())
    return f"INC-{max((int(match[1]) for match in names if match), default=_FIRST - 1) + 1}"


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold a lock over all incidents, so that one alert delivered twice opens one."""
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
