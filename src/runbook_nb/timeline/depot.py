"""The files of incidents that outlive a machine: executed copies and records.

They lie in a folder that all machines reach, or in a bucket, and nothing there is written twice.
"""

import hashlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from runbook_nb.errors import RecordIntegrityError, SettingMissingError, StoreUnavailableError
from runbook_nb.text.files import make_folder
from runbook_nb.timeline.events import Ended
from runbook_nb.timeline.folder import RECORDED, RUNS, IncidentFolder
from runbook_nb.timeline.log import Timeline
from runbook_nb.timeline.store.settings import settings_of

if TYPE_CHECKING:
    from obstore.store import ObjectStore

RECORDS: Final = "records"  # beside the runs: each record that was sealed, by its envelope's digest


class Depot:
    """A folder or a bucket. Every method raises StoreUnavailableError where it is away."""

    def __init__(self, place: str) -> None:
        self.place = place
        # What this process has kept, and as which state of which file: it is not kept again.
        self._kept = dict[str, tuple[Path, int, int]]()

    def put(self, key: str, file: Path) -> bool:
        """Keep a file; False where it is there already.

        Raises RecordIntegrityError where another one has its name.
        """
        state = (file, file.stat().st_size, file.stat().st_mtime_ns)
        if self._kept.get(key) == state:
            return False
        store = self._store
        import obstore
        from obstore.exceptions import AlreadyExistsError

        try:
            obstore.put(store, key, file, mode="create")
        except AlreadyExistsError:
            if self._read(key) == file.read_bytes():
                self._kept[key] = state
                return False
            message = f"{self.place} has another file at {key} than {file}. Nothing was replaced."
            raise RecordIntegrityError(message) from None
        except Exception as error:
            raise self._away(error) from error
        self._kept[key] = state
        return True

    def fetch(self, key: str, file: Path) -> bool:
        """Write a kept file; False where one is here already, or nobody has kept it."""
        content = None if file.exists() else self._read(key)
        if content is None:
            return False
        make_folder(file.parent)
        draft = file.with_name(f".{file.name}.fetched")
        draft.write_bytes(content)
        draft.replace(file)
        return True

    def keys(self, prefix: str) -> list[str]:
        """Return what is kept below a prefix, what was kept first before."""
        store = self._store
        import obstore

        try:
            found = [each for batch in obstore.list(store, prefix) for each in batch]
            return [each["path"] for each in sorted(found, key=lambda each: each["last_modified"])]
        except Exception as error:
            raise self._away(error) from error

    def _read(self, key: str) -> bytes | None:
        store = self._store
        import obstore

        try:
            return bytes(obstore.get(store, key).bytes())
        except FileNotFoundError:
            return None
        except Exception as error:
            raise self._away(error) from error

    @property
    def _store(self) -> "ObjectStore":
        """The client of the place; raises SettingMissingError without the package, or for none."""
        found: ObjectStore = _store_at(self.place)
        return found

    def _away(self, error: Exception) -> StoreUnavailableError:
        # The client's words go on with its whole state, which holds addresses and settings.
        said = (str(error).splitlines() or [type(error).__name__])[0]
        return StoreUnavailableError(f"{self.place} cannot be reached: {said}")


def depot_of(incidents: Path) -> Depot | None:
    """Return where the files of a folder's incidents are kept; None where only there."""
    settings = settings_of(incidents)
    return _depot_at(settings.files) if settings and settings.files else None


def keep_runs(depot: Depot, folder: IncidentFolder) -> int:
    """Keep the executed copies of the runs that have ended; return how many were new."""
    ended = {event.run for event in Timeline(folder.timeline).of(Ended)}
    copies = [file for file in folder.all_executed() if file.stem in ended]
    return sum(depot.put(_run_key(folder, file.stem), file) for file in copies)


def fetch_runs(depot: Depot, folder: IncidentFolder) -> list[str]:
    """Fetch the executed copies that other machines kept; return the runs whose copy nobody has."""
    missing = []
    for run in dict.fromkeys(event.run for event in Timeline(folder.timeline).of(Ended)):
        file = folder.executed(run)
        if not file.is_file() and not depot.fetch(_run_key(folder, run), file):
            missing.append(run)
    return missing


def keep_record(depot: Depot, folder: IncidentFolder) -> int:
    """Keep a record as it was sealed, with the runs it is of; return how many files were new."""
    if not folder.envelope.is_file():
        return 0
    digest = hashlib.sha256(folder.envelope.read_bytes()).hexdigest()
    files = [folder.path / name for name in RECORDED]
    files += folder.all_executed()
    below = f"{folder.name}/{RECORDS}/{digest}"
    return sum(
        depot.put(f"{below}/{file.relative_to(folder.path)}", file)
        for file in files
        if file.is_file()
    )


def fetch_record(depot: Depot, folder: IncidentFolder) -> int:
    """Fetch the newest record of an incident, where none is here; return of how many files."""
    below = f"{folder.name}/{RECORDS}/"
    kept = [key.removeprefix(below).split("/", 1) for key in depot.keys(below)]
    if not kept or folder.envelope.exists():
        return 0
    digest, _ = kept[-1]
    names = [name for sealed, name in kept if sealed == digest]
    return sum(depot.fetch(f"{below}{digest}/{name}", folder.path / name) for name in names)


def _run_key(folder: IncidentFolder, run: str) -> str:
    return f"{folder.name}/{RUNS}/{run}.ipynb"


@cache
def _depot_at(place: str) -> Depot:
    return Depot(place)


@cache
def _store_at(place: str) -> Any:
    try:
        from obstore.store import LocalStore, from_url
    except ImportError:
        message = (
            "The setting 'files' of 'store' needs the package obstore: "
            'pip install "runbook-nb[serve]"'
        )
        raise SettingMissingError(message) from None
    try:
        return LocalStore(place, mkdir=True) if place.startswith("/") else from_url(place)
    except Exception as error:
        said = (str(error).splitlines() or [""])[0]
        message = (
            f"The setting 'files' of 'store' is {place!r}, which is no place for files: {said} "
            "Write a folder, or the address of a bucket: s3://bucket/incidents"
        )
        raise SettingMissingError(message) from error
