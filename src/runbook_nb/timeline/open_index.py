"""Which open incident an alert belongs to, found without reading all incidents.

One small file for each alert and environment names the incident that the alert came to last. It
is a hint: whoever finds it reads the timeline, which alone says whether that incident is open.
The folder can be deleted at any time; it is made anew from the timelines.
"""

import hashlib
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final, Protocol

from runbook_nb.errors import IncidentStateError, RecordIntegrityError
from runbook_nb.text.files import write_atomically
from runbook_nb.timeline import queries
from runbook_nb.timeline.events import Alert, Alerted, Opened
from runbook_nb.timeline.folder import IncidentFolder, IncidentsFolder
from runbook_nb.timeline.log import Timeline
from runbook_nb.timeline.store.chain import Store, store_of
from runbook_nb.timeline.tail import is_closed

# A number that people and files can bear; a longer one was given by hand and is no one's number.
_NUMBERED: Final = re.compile(r"INC-(\d{1,9})")
# Numbers begin here so that the ids of an incident and of a drill look alike in every list.
_FIRST: Final = 2001
_WHOLE: Final = "whole"  # is there once every open incident of before is in
_NEXT: Final = "next"  # the next number


class Known(Protocol):
    """What tells where alerts go, and which number is the next incident's."""

    def find(self, environment: str, alerts: Iterable[Alert]) -> str | None:
        """Return the open incident of an environment that one of the alerts has come to."""

    def put(self, environment: str, alert: Alert, incident: str, *, over: bool) -> None:
        """Remember where an alert goes, before that stands on the timeline.

        Unless it is taken ``over``, raises PlacedElsewhereError where it went to another open
        incident meanwhile.
        """

    def next_id(self) -> str:
        """Return the next number that no incident has."""


class PlacedElsewhereError(IncidentStateError):
    """The alert went to another incident meanwhile."""


class StoreIndex:
    """Where alerts go, for all machines that work on the incidents of one store."""

    def __init__(self, store: Store, incidents: IncidentsFolder) -> None:
        self._store, self._incidents = store, incidents

    def find(self, environment: str, alerts: Iterable[Alert]) -> str | None:
        """Return the open incident of an environment that one of the alerts has come to."""
        placed = (self._store.placed(_key(environment, alert.fingerprint)) for alert in alerts)
        return next((incident for incident in placed if incident), None)

    def put(self, environment: str, alert: Alert, incident: str, *, over: bool) -> None:
        """Remember where an alert goes; raises PlacedElsewhereError."""
        if not self._store.place(_key(environment, alert.fingerprint), incident, over=over):
            raise PlacedElsewhereError

    def next_id(self) -> str:
        """Return a number that nobody gets a second time."""
        while True:
            incident = f"INC-{self._store.next_number()}"
            here = self._incidents.path / incident
            if not here.exists() and not self._store.has(incident):
                return incident


class OpenIndex:
    """The hints of one folder of incidents; whoever uses it holds the lock of that folder."""

    def __init__(self, incidents: IncidentsFolder) -> None:
        self._incidents, self._folder = incidents, incidents.open_index

    def find(self, environment: str, alerts: Iterable[Alert]) -> str | None:
        """Return the open incident of an environment that one of the alerts has come to."""
        self._complete()
        for alert in alerts:
            hint = self._hint(environment, alert.fingerprint)
            try:
                incident = hint.read_text(encoding="utf-8")
            except FileNotFoundError:
                continue
            if self._is_of(incident, environment, alert.fingerprint):
                return incident
            hint.unlink(missing_ok=True)
        return None

    def put(self, environment: str, alert: Alert, incident: str, *, over: bool = True) -> None:  # noqa: ARG002
        """Remember where an alert goes, before that stands on the timeline."""
        write_atomically(self._hint(environment, alert.fingerprint), incident, private=True)

    def next_id(self) -> str:
        """Return the next number that no incident has."""
        file = self._folder / _NEXT
        try:
            number = int(file.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            number = self._after_all()
        while (self._incidents.path / f"INC-{number}").exists():
            number += 1
        write_atomically(file, str(number + 1), private=True)
        return f"INC-{number}"

    def _is_of(self, incident: str, environment: str, fingerprint: str) -> bool:
        folder = IncidentFolder(self._incidents.path / incident)
        if not (folder.is_incident and folder.is_own):
            return False
        events = Timeline(folder.timeline).proven()
        first = queries.opened(events)
        known = {each.fingerprint for each in _alerts(events)}
        return (
            first is not None
            and queries.closed(events) is None
            and (first.environment, fingerprint in known) == (environment, True)
        )

    def _complete(self) -> None:
        """Take in the open incidents from before there was an index, or after it was deleted."""
        whole = self._folder / _WHOLE
        if whole.exists():
            return
        for folder in self._incidents.all():
            try:
                if not is_closed(folder.timeline):
                    place_alerts(folder, self)
            except (OSError, RecordIntegrityError):
                continue
        write_atomically(whole, "", private=True)

    def _after_all(self) -> int:
        found = (_NUMBERED.fullmatch(path.name) for path in self._incidents.path.iterdir())
        return max((int(match[1]) for match in found if match), default=_FIRST - 1) + 1

    def _hint(self, environment: str, fingerprint: str) -> Path:
        return self._folder / f"{_key(environment, fingerprint)}.alert"


def index_of(folder: IncidentsFolder) -> Known:
    """Return what knows where alerts go: the store, where it has the timelines of this folder."""
    store = store_of(folder.path)
    return StoreIndex(store, folder) if store else OpenIndex(folder)


def place_alerts(folder: IncidentFolder, index: Known) -> None:
    """Remember where the alerts of an open incident go."""
    events = Timeline(folder.timeline).proven()
    if (first := queries.opened(events)) and not queries.closed(events):
        for alert in _alerts(events):
            index.put(first.environment, alert, folder.name, over=True)


def _key(environment: str, fingerprint: str) -> str:
    key = f"{environment}\0{fingerprint}".encode("utf-8", "surrogatepass")
    return hashlib.sha256(key).hexdigest()[:40]


def _alerts(events: Iterable[object]) -> list[Alert]:
    return [each.alert for each in events if isinstance(each, Opened | Alerted) and each.alert]
