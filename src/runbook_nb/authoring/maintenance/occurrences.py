"""What all incidents say about the runbooks: one sighting for each remark of each incident."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from runbook_nb.record.facts.remarks import (
    Remark,
    RemarkKind,
    copy_that_ran,
    remarks_of,
    runs_by_runbook,
)
from runbook_nb.timeline import queries
from runbook_nb.timeline.events import DRILL, Event
from runbook_nb.timeline.folder import IncidentFolder, IncidentsFolder
from runbook_nb.timeline.log import Timeline


@dataclass(frozen=True, kw_only=True)
class Sighting(Remark):
    """One thing seen in one incident.

    ``copy`` is the notebook that ran, where it is known, and ``digest`` that of its text.
    """

    incident: str
    copy: Path | None = None
    digest: str = ""


def sightings(incidents: Path, *, drills: bool = False) -> list[Sighting]:
    """Return what all incidents say about runbooks, oldest first; drills only if wanted."""
    found: list[Sighting] = []
    for folder in IncidentsFolder(incidents).all():
        events = Timeline(folder.timeline).proven()
        closed = queries.closed(events)
        if drills or closed is None or closed.resolution != DRILL:
            found += _of_incident(folder, events)
    return sorted(found, key=lambda sighting: sighting.at)


def _of_incident(folder: IncidentFolder, events: Sequence[Event]) -> Iterator[Sighting]:
    ran = {name: list(runs.values()) for name, runs in runs_by_runbook(events).items()}
    copies = {name: copy_that_ran(folder, starts) for name, starts in ran.items()}
    for remark in remarks_of(folder.path, events):
        # Slow may be the system, not the runbook: the record tells it, and no edit is proposed.
        if remark.kind is not RemarkKind.SLOW:
            starts, copy = ran[remark.runbook], copies[remark.runbook]
            yield Sighting(
                **vars(remark),
                incident=folder.name,
                copy=copy,
                digest=starts[-1].runbook_digest if starts else "",
            )
