"""The timeline of an incident: append-only JSON lines, hash-chained, synced to disk.

Each line is canonical JSON (RFC 8785) with a running number ``seq``, the hash of the line before
(``prev``) and its own ``hash``: SHA-256 over the canonical line without ``hash``. Two processes
may append at once: a lock on the file orders them. A line that was cut off by a crash was never
acknowledged; the next writer sets it aside and notes that it did.
"""

import contextlib
import fcntl
import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar, overload

from runbook_nb.errors import RecordIntegrityError
from runbook_nb.redaction import Redactor
from runbook_nb.timeline import queries
from runbook_nb.timeline.events import EVENTS, Event, Noted
from runbook_nb.timeline.folder import IncidentFolder

if TYPE_CHECKING:
    from pydantic import TypeAdapter

SIGNATURES: Final = ("by", "requested_by", "approved_by")
GENESIS: Final = "0" * 64
E = TypeVar("E", bound=Event)
_KINDS: Final = {kind.kind: kind for kind in EVENTS}


class Timeline(Sequence[Event]):
    """All events of one incident, as they stand on disk.

    Every read looks for lines that another process has added meanwhile.
    """

    def __init__(self, path: Path, *, redactor: Redactor | None = None) -> None:
        self.path = path
        self.redactor = redactor or Redactor()
        self._events: list[Event] = []
        self._offset = 0
        self.head = GENESIS

    @property
    def folder(self) -> IncidentFolder:
        """The folder of its incident."""
        return IncidentFolder(self.path.parent)

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

    def of(self, kind: type[E]) -> list[E]:
        """Return all events of one kind, oldest first."""
        return queries.of(self, kind)

    def last(self, kind: type[E], **fields: object) -> E | None:
        """Return the newest event of a kind whose fields have these values."""
        return queries.last(self, kind, **fields)

    def proven(self) -> list[Event]:
        """Return the events up to the first that does not fit the chain; never raises for it."""
        with contextlib.suppress(RecordIntegrityError, OSError):
            self._read()
        return list(self._events)

    def verify(self) -> str:
        """Read the whole file anew and return its head hash; raises as ``anew`` does."""
        return self.anew().head

    def anew(self) -> "Timeline":
        """Return the timeline as the whole file has it now.

        Raises RecordIntegrityError with the number of the first line that does not fit.
        """
        fresh = Timeline(self.path)
        _ = len(fresh)
        if fresh._offset != fresh.path.stat().st_size:
            message = f"{self.path.name}: the last line is cut off after event {len(fresh)}."
            raise RecordIntegrityError(message)
        return fresh

    def __len__(self) -> int:
        """Count the events on disk."""
        self._read()
        return len(self._events)

    def __iter__(self) -> Iterator[Event]:
        """Go through the events, oldest first."""
        self._read()
        return iter(list(self._events))

    @overload
    def __getitem__(self, index: int) -> Event: ...
    @overload
    def __getitem__(self, index: slice) -> list[Event]: ...
    def __getitem__(self, index: int | slice) -> Event | list[Event]:
        """Return events by position."""
        self._read()
        return self._events[index]

    def _read(self) -> None:
        """Take in the complete lines that were added since the last look."""
        if not self.path.exists():
            return
        with self.path.open("rb") as file:
            file.seek(self._offset)
            for line in file:
                if not line.endswith(b"\n"):
                    return
                self._take(line)

    def _take(self, line: bytes) -> None:
        number = len(self._events) + 1
        try:
            stored = json.loads(line)
            claimed = stored.pop("hash")
            fits = stored["seq"] == number and stored["prev"] == self.head
            if not fits or not _is_whole(line, stored, claimed):
                raise ValueError
            self._events.append(_decode(stored))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            message = (
                f"{self.path.name}: event {number} does not match its hash. "
                "It, or one before it, was altered, added or removed."
            )
            raise RecordIntegrityError(message) from error
        self.head = claimed
        self._offset += len(line)

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
        line = _line(stored, _hash(stored))
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


def _decode(stored: dict[str, Any]) -> Event:
    fields = {name: value for name, value in stored.items() if name not in ("kind", "seq", "prev")}
    return _adapter(stored["kind"]).validate_python(fields)


@cache
def _adapter(kind: str) -> "TypeAdapter[Event]":
    # pydantic is imported late: a reader of this package's words does not pay for it.
    from pydantic import TypeAdapter

    return TypeAdapter(_KINDS[kind])


def _is_whole(line: bytes, stored: dict[str, Any], claimed: str) -> bool:
    """Tell whether a line is canonical and has the hash it claims.

    Python's own encoder is several times as fast. It differs from RFC 8785 in how it writes some
    numbers and orders some keys: where it does not give the line, RFC 8785 decides.
    """
    if line == _quick({**stored, "hash": claimed}) + b"\n":
        return claimed == hashlib.sha256(_quick(stored)).hexdigest()
    return line == _line(stored, claimed) and claimed == _hash(stored)


def _quick(stored: dict[str, Any]) -> bytes:
    plain = json.dumps(
        stored, sort_keys=True, ensure_ascii=False, allow_nan=False, separators=(",", ":")
    )
    return plain.encode()


def _hash(stored: dict[str, Any]) -> str:
    import rfc8785

    return hashlib.sha256(rfc8785.dumps(stored)).hexdigest()


def _line(stored: dict[str, Any], digest: str) -> bytes:
    import rfc8785

    return rfc8785.dumps({**stored, "hash": digest}) + b"\n"
