"""Which open incident an alert belongs to, found without reading all incidents.

One small file for each alert and environment names the incident that the alert came to last. It
is a hint: whoever finds it reads the timeline, which alone says whether that incident is open.
The folder can be deleted at any time; it is made anew from the timelines.
"""

import hashlib
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from runbook_nb.errors import RecordIntegrityError
from runbook_nb.text.files import write_atomically
from runbook_nb.timeline import queries
from runbook_nb.timeline.events import Alert, Alerted, Opened
from runbook_nb.timeline.folder import IncidentFolder, IncidentsFolder
from runbook_nb.timeline.log import Timeline
from runbook_nb.timeline.tail import is_closed

# A number that people and files can bear; a longer one was given by hand and is no one's number.
_NUMBERED: Final = re.compile(r"INC-(\d{1,9})")
# Numbers begin here so that the ids of an incident and of a drill look alike in every list.
_FIRST: Final = 2001
_WHOLE: Final = "whole"  # is there once every open incident of before is in
_NEXT: Final = "next"  # the next number


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

    def put(self, environment: str, alert: Alert, incident: str) -> None:
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
                if is_closed(folder.timeline):
                    continue
                events = Timeline(folder.timeline).proven()
            except (OSError, RecordIntegrityError):
                continue
            if first := queries.opened(events):
                for alert in _alerts(events):
                    self.put(first.environment, alert, folder.name)
        write_atomically(whole, "", private=True)

    def _after_all(self) -> int:
        found = (_NUMBERED.fullmatch(path.name) for path in self._incidents.path.iterdir())
        return max((int(match[1]) for match in found if match), default=_FIRST - 1) + 1

    def _hint(self, environment: str, fingerprint: str) -> Path:
        key = f"{environment}\0{fingerprint}".encode("utf-8", "surrogatepass")
        return self._folder / f"{hashlib.sha256(key).hexdigest()[:40]}.alert"


def _alerts(events: Iterable[object]) -> list[Alert]:
    return [each.alert for each in events if isinstance(each, Opened | Alerted) and each.alert]
