"""Close an incident and make its record."""

from datetime import UTC, datetime
from pathlib import Path

from runbook_nb.archive import write_record
from runbook_nb.environment import Environment
from runbook_nb.errors import RunbookError, SettingMissingError
from runbook_nb.incidents import find, opened, refuse_closed
from runbook_nb.model import Closed
from runbook_nb.redaction import Redactor
from runbook_nb.runbook import Runbook


def close(incidents: Path, incident: str, *, by: str, resolution: str = "") -> Path:
    """Close an open incident and return its record's page.

    Works also when the last run was cut off. Raises IncidentStateError if it is closed already.
    """
    redactor = _redactor(incidents, incident)
    timeline = find(incidents, incident, redactor=redactor)
    refuse_closed(timeline)
    timeline.append(Closed(at=datetime.now(UTC), by=by, resolution=resolution))
    return write_record(timeline.path.parent, redactor=redactor)


def remake(incidents: Path, incident: str) -> Path:
    """Make the record's page anew from the timeline and the runs; returns the page."""
    redactor = _redactor(incidents, incident)
    timeline = find(incidents, incident, redactor=redactor)
    return write_record(timeline.path.parent, redactor=redactor)


def _redactor(incidents: Path, incident: str) -> Redactor:
    """Mask the secrets of the incident's environment, where its settings can still be read."""
    first = opened(find(incidents, incident))
    try:
        contacts = Runbook.find(first.runbook).contacts
    except RunbookError:
        # The runbook was renamed or retired since; its record can be made all the same.
        contacts = ()
    try:
        return Environment.load(first.environment).redactor(allowed=contacts)
    except SettingMissingError:
        return Redactor(allowed=contacts)
