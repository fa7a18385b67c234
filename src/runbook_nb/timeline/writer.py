"""The timeline of an incident, as it is written: append-only, masked, synced to disk.

Two processes may append at once: a lock on the file orders them. A line that was cut off by a
crash was never acknowledged; the next writer sets it aside and notes that it did. After the close
nothing is taken but the testimony of an attempt that was on its way.
"""

import fcntl
import os
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, TypeVar

from runbook_nb.errors import IncidentStateError, ParameterError, RecordIntegrityError
from runbook_nb.redaction import Redactor
from runbook_nb.text.files import Sync, sync_folder
from runbook_nb.timeline import queries
from runbook_nb.timeline.attempts import is_testimony
from runbook_nb.timeline.events import Closed, Event, Noted
from runbook_nb.timeline.log import Timeline, decode, hash_of, line_of
from runbook_nb.timeline.store.chain import AnswerLostError

SIGNATURES: Final = ("by", "requested_by", "approved_by")
_TIMES: Final = (datetime, datetime | None)
E = TypeVar("E", bound=Event)


class WritableTimeline(Timeline):
    """A timeline that can be appended to; what cannot be masked cannot be written.

    ``redactor`` masks every event before it is written, and ``sync`` has it on disk.
    """

    def __init__(self, path: Path, *, redactor: Redactor, sync: Sync = os.fsync) -> None:
        super().__init__(path)
        self.redactor, self._sync = redactor, sync

    def append(self, event: E) -> E:
        """Write one event and return it as written: masked, cut and timed.

        Raises IncidentStateError after the close; nobody can close between this look and the line.
        Raises ParameterError for a time without a zone.
        """
        if naive := next(_naive_times(event), None):
            message = f"{naive} in a {event.kind!r} event has no zone; give a time in UTC."
            raise ParameterError(message)
        is_new = not self.path.exists()
        if is_new:
            self._make_file()
        with self.path.open("a+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            with self._held():
                self._mend(file.fileno())
                # Where another machine was first its line is read, and may be a close.
                while not (place := self._write(file.fileno(), event)):
                    continue
        if is_new:
            # The names of file and folder too: a power cut may take them back otherwise.
            sync_folder(self.path.parent, self._sync)
            sync_folder(self.path.parent.parent, self._sync)
        written = self._events[place - 1]
        assert isinstance(written, type(event))  # noqa: S101 - decoded from our own line
        return written

    def stands_as_given(self, event: Event) -> bool:
        """Tell whether an event would be written as it is: nothing masked, nothing cut."""
        return decode({**_encode(event, self.redactor), "kind": event.kind}) == event

    def _refuse_after_close(self, event: Event) -> None:
        closed = queries.closed(self)
        if closed is None:
            return
        if not is_testimony(queries.before(self, closed), event):
            raise closed_error(self, closed)

    def _mend(self, descriptor: int) -> None:
        """Set aside a line that a crash cut off, and note it."""
        self._read_file()
        size = os.fstat(descriptor).st_size
        if size == self._offset:
            return
        if size < self._offset:
            message = (
                f"{self.path} became shorter: {size:,} of the {self._offset:,} bytes that were "
                "read. Nothing was written. Look who changed it, before anything else is done."
            )
            raise RecordIntegrityError(message)
        os.ftruncate(descriptor, self._offset)
        if self.chain is not None:
            return  # the store has it whole, or never took it
        text = f"A line of {size - self._offset} bytes was cut off by a crash and set aside."
        self._write(descriptor, Noted(at=datetime.now(UTC), text=text))

    def _follow(self, descriptor: int) -> None:
        assert self.chain is not None  # noqa: S101 - only it can refuse a line
        self._copy(descriptor, self.chain.behind(len(self._events), self.head))

    def _write(self, descriptor: int, event: Event) -> int:
        """Write an event behind the last and return its place; 0 where the store has another."""
        self._refuse_after_close(event)
        stored: dict[str, Any] = {
            **_encode(event, self.redactor),
            "kind": event.kind,
            "seq": len(self._events) + 1,
            "prev": self.head,
        }
        digest = hash_of(stored)
        line = line_of(stored, digest)
        if self.chain is not None:
            try:
                taken = self.chain.append(line, stored, digest)
            except AnswerLostError:
                self._follow(descriptor)
                return self._places.get(digest, 0)
            if not taken:
                self._follow(descriptor)
                return 0
        try:
            written = os.write(descriptor, line)
            if written != len(line):
                message = "No space left for a whole line."
                raise OSError(message)
            self._sync(descriptor)
        except OSError:
            os.ftruncate(descriptor, self._offset)
            raise
        self._take(line)
        return len(self._events)


def closed_error(timeline: Timeline, closed: Closed) -> IncidentStateError:
    """Return the error that says when and by whom an incident was closed."""
    message = (
        f"{timeline.folder.name} was closed at {closed.at:%Y-%m-%d %H:%M:%SZ} by "
        f"{closed.by}. Open a new incident for what happens now."
    )
    return IncidentStateError(message)


def _naive_times(event: Any) -> Iterator[datetime]:
    """Find the times without a zone in an event; what a system answers may hold what it likes."""
    for each in fields(event):
        value = getattr(event, each.name)
        if each.type in _TIMES and value is not None and value.utcoffset() is None:
            yield value
        for part in value if isinstance(value, tuple) else (value,):
            if is_dataclass(part):
                yield from _naive_times(part)


def _encode(event: Event, redactor: Redactor) -> dict[str, Any]:
    cleaned: dict[str, Any] = redactor.clean(event)
    signed = {name: getattr(event, name) for name in SIGNATURES if hasattr(event, name)}
    # Who approved is held against who asked: two addresses must not become one mark.
    kept: dict[str, Any] = {
        name: redactor.text(who, signature=True) for name, who in signed.items()
    }
    owners = getattr(event, "approvers", {})
    if owners:
        kept["approvers"] = {
            redactor.text(key): redactor.text(who, signature=True) for key, who in owners.items()
        }
    return cleaned | kept
