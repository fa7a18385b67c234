"""An incident that was opened before, to be written on by a command and not by a notebook."""

from pathlib import Path

from runbook_nb.errors import RunbookError, SettingMissingError
from runbook_nb.probes.environment import Environment
from runbook_nb.redaction import Redactor
from runbook_nb.runbook.runbook import Runbook
from runbook_nb.timeline import queries
from runbook_nb.timeline.incidents import beginning, find
from runbook_nb.timeline.log import Timeline
from runbook_nb.timeline.writer import WritableTimeline


def writable(incidents: Path, incident: str) -> WritableTimeline:
    """Return the timeline of a known incident; raises IncidentStateError with near ids."""
    known = find(incidents, incident)
    return WritableTimeline(known.path, redactor=redactor_of(known))


def redactor_of(timeline: Timeline) -> Redactor:
    """Mask the secrets of the incident's environment, where its settings can still be read."""
    first = beginning(timeline)
    # A second runbook joins with contacts of its own.
    ran = dict.fromkeys([first.runbook, *queries.runbooks(timeline)])
    contacts = [contact for name in ran for contact in _contacts(name)]
    try:
        return Environment.load(first.environment).redactor(allowed=contacts)
    except SettingMissingError:
        return Redactor(allowed=contacts)


def last_runbook(timeline: Timeline) -> Runbook:
    """Return the runbook that ran last, or that the incident was opened with.

    Raises RunbookNotFoundError for one that was renamed or retired since, and IncidentStateError
    where the beginning of the timeline is lost.
    """
    opened = beginning(timeline)
    return Runbook.find([opened.runbook, *queries.runbooks(timeline)][-1])


def _contacts(runbook: str) -> tuple[str, ...]:
    """Return the addresses a runbook names; one that was renamed or retired since names none."""
    try:
        return Runbook.find(runbook).contacts
    except RunbookError:
        return ()
