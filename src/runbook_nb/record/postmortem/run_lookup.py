"""Find one run by what a person types, or the drill that last proved its runbook."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from runbook_nb.errors import IncidentStateError, RunbookFormatError, near
from runbook_nb.runbook.document import Document
from runbook_nb.timeline import queries
from runbook_nb.timeline.events import Event, Started
from runbook_nb.timeline.folder import IncidentFolder, IncidentsFolder
from runbook_nb.timeline.incidents import find


@dataclass(frozen=True, kw_only=True)
class Ran:
    """One run with its events; ``text`` is what its notebook said, None where it is lost."""

    incident: str
    started: Started
    events: tuple[Event, ...]
    text: tuple[str, ...] | None

    @property
    def name(self) -> str:
        """How a person finds it again: ``INC-2041/20261123T…``."""
        return f"{self.incident}/{self.started.run}"

    @property
    def failed(self) -> frozenset[str]:
        """The titles of the checks that failed in it."""
        return queries.failed(self.events)


def find_run(incidents: Path, said: str) -> Ran:
    """Return a run: ``INC-2041`` is its last, ``INC-2041/2`` its second, or by its whole id.

    Raises IncidentStateError with the runs there are.
    """
    incident, _, wanted = said.strip("/").partition("/")
    timeline = find(incidents, incident)
    events = timeline.proven()
    starts = queries.of(events, Started)
    if not starts:
        message = f"{incident} has no run that could be compared."
        raise IncidentStateError(message)
    by_name = {str(number): start for number, start in enumerate(starts, start=1)}
    by_name |= {start.run: start for start in starts}
    started = by_name.get(wanted or str(len(starts)))
    if started is None:
        message = f"{incident} has no run {wanted!r}. {near(wanted, by_name)}"
        raise IncidentStateError(message)
    return _ran(timeline.folder, events, started)


def last_validation(incidents: Path, ran: Ran) -> Ran:
    """Return the run of the newest validation's drill that looks most like this run.

    Raises IncidentStateError where no validation of the runbook is kept, or none of its runs.
    """
    name = ran.started.runbook
    journals = sorted(IncidentsFolder(incidents).validations(name).glob("*.json"))
    if not journals:
        message = (
            f"No validation of {name} is kept in {incidents}. Make one: runbook validate {name}"
        )
        raise IncidentStateError(message)
    drilled = [
        find_run(incidents, incident)
        for incident in _incidents_of(journals[-1])
        if IncidentFolder(incidents / incident).is_incident and incident != ran.incident
    ]
    if not drilled:
        message = f"The incidents of the validation {journals[-1].stem} of {name} are gone."
        raise IncidentStateError(message)
    return max(drilled, key=lambda other: _likeness(ran, other))


def _ran(folder: IncidentFolder, events: Sequence[Event], started: Started) -> Ran:
    places = [folder.executed(started.run), *folder.all_kept(started.runbook)]
    places.append(folder.working_copy(started.notebook or f"{started.runbook}.ipynb"))
    return Ran(
        incident=folder.name,
        started=started,
        events=tuple(event for event in events if event.run == started.run),
        text=next((text for place in places if (text := _text(place)) is not None), None),
    )


def _text(path: Path) -> tuple[str, ...] | None:
    """Return the lines of a notebook's cells as their author wrote them."""
    try:
        return tuple(Document.read(path).text_lines)
    except (RunbookFormatError, OSError):
        return None


def _incidents_of(journal: Path) -> list[str]:
    """Return the incidents that a validation's drills made."""
    try:
        drills = json.loads(journal.read_text(encoding="utf-8"))["drills"]
        return [str(drill["incident"]) for drill in drills if drill.get("incident")]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return []


def _likeness(ran: Ran, other: Ran) -> float:
    both = ran.failed | other.failed
    return len(ran.failed & other.failed) / len(both) if both else 1.0
