"""The folder of incidents: declare one, find one, join one."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from runbook_nb.errors import (
    IncidentStateError,
    RecordIntegrityError,
    StoreUnavailableError,
    near,
)
from runbook_nb.redaction import Redactor
from runbook_nb.text.files import PRIVATE_FOLDER
from runbook_nb.timeline import queries
from runbook_nb.timeline.disk import demand_own_disk
from runbook_nb.timeline.events import Alert, Alerted, Cleared, Opened, Terms
from runbook_nb.timeline.folder import IncidentFolder, IncidentsFolder
from runbook_nb.timeline.lock import locked
from runbook_nb.timeline.log import Timeline
from runbook_nb.timeline.open_index import Known, index_of
from runbook_nb.timeline.store.chain import store_of
from runbook_nb.timeline.tail import is_closed
from runbook_nb.timeline.writer import WritableTimeline, closed_error


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
    also: Sequence[Alert] = (),
) -> WritableTimeline:
    """Open an incident, or join the open one with this id or alert; return its timeline.

    Alerts that were delivered ``also`` join it with the first. ``terms`` are written when it is
    opened: one that is joined keeps those it was opened with. Raises IncidentStateError if the
    incident of that id is closed, and ParameterError for a folder on a network's file system.
    """
    demand_own_disk(incidents)
    incidents.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
    alerts = [each for each in (alert, *also) if each is not None]
    opening = Opened(
        at=datetime.now(UTC),
        by=by,
        incident="",
        title=title,
        severity=severity,
        runbook=runbook,
        environment=environment,
        alert=alert,
        terms=terms or Terms(),
    )
    folder = IncidentsFolder(incidents)
    with locked(folder.lock, what="An incident is being opened"):
        index = index_of(folder)
        put = partial(_put, folder, index, opening=opening, alerts=alerts, redactor=redactor)
        if incident is not None:
            return put(incident, over=True)
        while True:
            try:
                return put(index.find(environment, alerts) or index.next_id(), over=False)
            except IncidentStateError:
                # It was closed between the look and the line, or another machine opened one.
                continue


def clear(
    incidents: Path, *, environment: str, alert: Alert, by: str, redactor: Redactor
) -> str | None:
    """Note that an alert is over in the open incident that it has come to; return its id."""
    if not incidents.is_dir():
        return None
    folder = IncidentsFolder(incidents)
    with locked(folder.lock, what="An incident is being opened"):
        known = index_of(folder).find(environment, [alert])
    if known is None:
        return None
    timeline = WritableTimeline(folder.incident(known).timeline, redactor=redactor)
    try:
        refuse_closed(timeline)
        timeline.append(Cleared(at=datetime.now(UTC), by=by, alert=alert))
    except IncidentStateError:
        return None
    return known


def _put(
    folder: IncidentsFolder,
    index: Known,
    incident: str,
    *,
    over: bool,
    opening: Opened,
    alerts: Sequence[Alert],
    redactor: Redactor,
) -> WritableTimeline:
    timeline = WritableTimeline(folder.incident(incident).timeline, redactor=redactor)
    timeline.refresh()
    is_new = len(timeline) == 0
    if not is_new:
        refuse_closed(timeline)
    first = opening if is_new else beginning(timeline)
    for alert in alerts:
        # What was delivered with the first goes where that goes.
        index.put(first.environment, alert, incident, over=over or alert is not alerts[0])
    if is_new:
        timeline.append(replace(opening, incident=incident))
    for alert in alerts[1:] if is_new else alerts:
        timeline.append(Alerted(at=datetime.now(UTC), by=opening.by, alert=alert))
    return timeline


def find(incidents: Path, incident: str) -> Timeline:
    """Return the timeline of a known incident; raises IncidentStateError with near ids."""
    timeline = Timeline(IncidentsFolder(incidents).incident(incident).timeline)
    if not timeline.path.is_file():
        timeline.refresh()
    if not timeline.path.is_file():
        known = [each.name for each in IncidentsFolder(incidents).all()]
        message = f"No incident {incident!r} in {incidents}. {near(incident, known)}"
        raise IncidentStateError(message)
    return timeline


def maybe_open(incidents: Path) -> list[IncidentFolder]:
    """Return the incidents whose last lines do not say that they were closed, newest first.

    Closed incidents are the many; the end of the file tells without reading the rest.
    """
    _fetch_open(incidents)
    folders = IncidentsFolder(incidents).newest_first()
    return [folder for folder in folders if not is_closed(folder.timeline)]


def _fetch_open(incidents: Path) -> None:
    """Bring the folder up to date with what is open in the store, and with what it has open."""
    store = store_of(incidents)
    if store is None:
        return
    folder = IncidentsFolder(incidents)
    # What is shown may be older while the store is away.
    with suppress(StoreUnavailableError):
        here = (each.name for each in folder.all() if not is_closed(each.timeline))
        for incident in dict.fromkeys([*store.open_incidents(), *here]):
            with suppress(RecordIntegrityError):
                Timeline(folder.incident(incident).timeline).refresh()


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
