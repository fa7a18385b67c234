"""Bring incidents from a folder to where all machines find them, or from there into the folder."""

import json
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from runbook_nb.errors import IncidentStateError, RecordIntegrityError, StoreUnavailableError
from runbook_nb.timeline.depot import Depot, fetch_record, fetch_runs, keep_record, keep_runs
from runbook_nb.timeline.folder import IncidentFolder, IncidentsFolder
from runbook_nb.timeline.log import GENESIS, Timeline
from runbook_nb.timeline.open_index import index_of, place_alerts
from runbook_nb.timeline.store.chain import Chain, Lease, Store


@dataclass(frozen=True, kw_only=True)
class Copied:
    """How many lines or files were new, and of how many incidents; ``problems`` name those left."""

    incidents: int
    new: int
    problems: tuple[str, ...]


def to_store(incidents: Path, store: Store) -> Copied:
    """Have the store take what the folder's timelines have more; what it has stays.

    Raises StoreUnavailableError.
    """
    folder = IncidentsFolder(incidents)

    def put(each: IncidentFolder) -> int:
        new = _put(each, Chain(store, each.name))
        place_alerts(each, index_of(folder))
        return new

    return _copied(folder.all(), put)


def to_folder(incidents: Path, store: Store) -> Copied:
    """Write what the store's timelines have more into the folder; what it has stays.

    Raises StoreUnavailableError.
    """
    folder = IncidentsFolder(incidents)

    def fetch(each: IncidentFolder) -> int:
        timeline = Timeline(each.timeline)
        before = len(_alone(each))
        timeline.refresh()
        return len(timeline) - before

    return _copied(map(folder.incident, store.all_incidents()), fetch)


def files_to(incidents: Path, depot: Depot) -> Copied:
    """Keep the executed copies and records of the folder in the depot.

    Raises StoreUnavailableError.
    """

    def put(each: IncidentFolder) -> int:
        return keep_runs(depot, each) + keep_record(depot, each)

    return _copied(IncidentsFolder(incidents).all(), put)


def files_from(incidents: Path, depot: Depot) -> Copied:
    """Fetch the executed copies and records that the folder has not got.

    Raises StoreUnavailableError.
    """

    def fetch(each: IncidentFolder) -> int:
        before = len(each.all_executed())
        fetch_runs(depot, each)
        return len(each.all_executed()) - before + fetch_record(depot, each)

    return _copied(IncidentsFolder(incidents).all(), fetch)


def _copied(folders: Iterable[IncidentFolder], copy: Callable[[IncidentFolder], int]) -> Copied:
    new, problems = [], []
    for folder in folders:
        try:
            new.append(copy(folder))
        except (RecordIntegrityError, IncidentStateError, OSError) as error:
            problems.append(f"{folder.name}: {error}")
    return Copied(incidents=sum(map(bool, new)), new=sum(new), problems=tuple(problems))


def _put(folder: IncidentFolder, chain: Chain) -> int:
    """Write the lines of a file behind those that the store has; return how many were new."""
    _alone(folder).verify()
    lines = folder.timeline.read_bytes().splitlines(keepends=True)
    there = chain.behind(0, GENESIS)
    if there[: len(lines)] != lines[: len(there)]:
        message = "the store has another timeline of that id. Nothing was copied."
        raise RecordIntegrityError(message)
    lease = Lease(chain)
    if not lease.taken():
        message = "somebody acts in it now. Copy it again when that has ended."
        raise IncidentStateError(message)
    try:
        for line in lines[len(there) :]:
            stored = json.loads(line)
            digest = stored.pop("hash")
            if not chain.append(line, stored, digest):
                message = "somebody wrote on it meanwhile. Copy it again."
                raise IncidentStateError(message)
    finally:
        with suppress(StoreUnavailableError):
            lease.end()
    return max(0, len(lines) - len(there))


def _alone(folder: IncidentFolder) -> Timeline:
    """Return a timeline as the file has it, without the store."""
    timeline = Timeline(folder.timeline)
    timeline.chain = None
    return timeline
