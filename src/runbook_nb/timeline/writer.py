"""The timeline of an incident, as it is written: append-only, masked, synced to disk.

Two processes may append at once: a lock on the file orders them. A line that was cut off by a
crash was never acknowledged; the next writer sets it aside and notes that it did.
"""

import fcntl
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, TypeVar

from runbook_nb.redaction import Redactor
from runbook_nb.timeline.events import Event, Noted
from runbook_nb.timeline.log import Timeline, hash_of, line_of

SIGNATURES: Final = ("by", "requested_by", "approved_by")
E = TypeVar("E", bound=Event)


class WritableTimeline(Timeline):
    """A timeline that can be appended to; what cannot be masked cannot be written.

    ``redactor`` masks every event before it is written.
    """

    def __init__(self, path: Path, *, redactor: Redactor) -> None:
        super().__init__(path)
        self.redactor = redactor

    def append(self, event: E) -> E:
        """Write one event and return it as written: masked, cut and timed."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            self._mend(file.fileno())
            self._write(file.fileno(), event)
        written = self._events[-1]
        assert isinstance(written, type(event))  # noqa: S101 - decoded from our own line
        return written

    def _mend(self, descriptor: int) -> None:
        """Set aside a line that a crash cut off, and note it."""
        self._read()
        size = os.fstat(descriptor).st_size
        if size == self._offset:
            return
        os.ftruncate(descriptor, self._offset)
        text = f"A line of {size - self._offset} bytes was cut off by a crash and set aside."
        self._write(descriptor, Noted(at=datetime.now(UTC), text=text))

    def _write(self, descriptor: int, event: Event) -> None:
        stored: dict[str, Any] = {
            **_encode(event, self.redactor),
            "kind": event.kind,
            "seq": len(self._events) + 1,
            "prev": self.head,
        }
        line = line_of(stored, hash_of(stored))
        try:
            written = os.write(descriptor, line)
            if written != len(line):
                message = "No space left for a whole line."
                raise OSError(message)
            os.fsync(descriptor)
        except OSError:
            os.ftruncate(descriptor, self._offset)
            raise
        self._take(line)


def _encode(event: Event, redactor: Redactor) -> dict[str, Any]:
    cleaned: dict[str, Any] = redactor.clean(event)
    signed = {name: getattr(event, name) for name in SIGNATURES if hasattr(event, name)}
    # Who approved is held against who asked: two addresses must not become one mark.
    return cleaned | {name: redactor.text(who, signature=True) for name, who in signed.items()}
