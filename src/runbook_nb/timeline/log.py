"""The timeline of an incident, as it is read: JSON lines, hash-chained.

Where several machines work on it, the store has its lines, and the file is a copy that is brought
up to date whenever it is read.

Each line is canonical JSON (RFC 8785) with a running number ``seq``, the hash of the line before
(``prev``) and its own ``hash``: SHA-256 over the canonical line without ``hash``.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar, overload

from runbook_nb.errors import RecordIntegrityError, StoreUnavailableError
from runbook_nb.text.files import PRIVATE_FILE, PRIVATE_FOLDER
from runbook_nb.timeline import queries
from runbook_nb.timeline.by_kind import EventsByKind
from runbook_nb.timeline.events import EVENTS, Event
from runbook_nb.timeline.folder import IncidentFolder
from runbook_nb.timeline.store.chain import chain_of

if TYPE_CHECKING:
    from pydantic import TypeAdapter

GENESIS: Final = "0" * 64
E = TypeVar("E", bound=Event)
# A line is written in far less, unless who writes it is halted.
_WRITTEN_WITHIN_S: Final = 2.0
_ASK_AGAIN_S: Final = 0.01
_KINDS: Final = {kind.kind: kind for kind in EVENTS}


class Timeline(EventsByKind):
    """All events of one incident, as they stand on disk.

    Every read looks for lines that another process has added meanwhile. ``chain`` is that in the
    store, None where the file is all there is.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self.chain = chain_of(path)
        self._holds = False
        self._offset = 0
        self.head = GENESIS
        self._places = {GENESIS: 0}

    @property
    def folder(self) -> IncidentFolder:
        """The folder of its incident."""
        return IncidentFolder(self.path.parent)

    def of(self, kind: type[E]) -> list[E]:
        """Return all events of one kind, oldest first."""
        return queries.of(self, kind)

    def last(self, kind: type[E], **fields: object) -> E | None:
        """Return the newest event of a kind whose fields have these values."""
        return queries.last(self, kind, **fields)

    def seen(self) -> str:
        """Return the head as it is now on disk."""
        self._read()
        return self.head

    def place_of(self, head: str) -> int | None:
        """Return after how many events the timeline had this head; None if it never had it."""
        self._read()
        return self._places.get(head)

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
        fresh.chain = self.chain
        _ = len(fresh)
        if fresh._offset != fresh.path.stat().st_size and not fresh._ends_whole():
            message = f"{self.path.name}: the last line is cut off after event {len(fresh)}."
            raise RecordIntegrityError(message)
        return fresh

    def _ends_whole(self) -> bool:
        """Read on once nobody writes, and tell whether the file ends with a whole line."""
        ends = time.monotonic() + _WRITTEN_WITHIN_S
        with self.path.open("rb") as file:
            while True:
                with contextlib.suppress(BlockingIOError):
                    fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
                    self._read_file()
                    return self._offset == os.fstat(file.fileno()).st_size
                if time.monotonic() > ends:
                    return False
                time.sleep(_ASK_AGAIN_S)

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

    def refresh(self) -> None:
        """Look what the store has by now.

        Raises StoreUnavailableError where it is away, and RecordIntegrityError where it has another
        timeline than the file.
        """
        if self.chain is not None:
            self._read_file()
            self._take_over(self.chain.behind(len(self._events), self.head))

    def _read(self) -> None:
        """Take in the lines that were added since the last look."""
        if self.chain is not None and self.chain.is_due and not self._holds:
            # What is only shown may be older while the store is away; what is written may not.
            with contextlib.suppress(StoreUnavailableError):
                self.refresh()
        self._read_file()

    def _take_over(self, lines: list[bytes]) -> None:
        """Write the store's lines behind those of the file."""
        if not lines:
            return
        self._make_file()
        with self.path.open("a+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            with self._held():
                self._copy(file.fileno(), lines)

    @contextlib.contextmanager
    def _held(self) -> Iterator[None]:
        """Read nothing from the store while the file's lock is held: that would ask for it."""
        self._holds = True
        try:
            yield
        finally:
            self._holds = False

    def _copy(self, descriptor: int, lines: list[bytes]) -> None:
        """Write those of the store's lines that the file has not got, while its lock is held."""
        self._read_file()
        # A line that was cut off by a crash is among them.
        os.ftruncate(descriptor, self._offset)
        try:
            for line in lines:
                if json.loads(line)["seq"] > len(self._events):
                    os.write(descriptor, line)
                    self._take(line)
            os.fsync(descriptor)
        except (OSError, RecordIntegrityError):
            os.ftruncate(descriptor, self._offset)
            raise

    def _make_file(self) -> None:
        """Make the file and its folder, its owner's alone."""
        self.path.parent.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
        os.close(os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, PRIVATE_FILE))

    def _read_file(self) -> None:
        """Take in the complete lines that were added to the file since the last look."""
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
            self.keep(decode(stored))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            message = (
                f"{self.path.name}: event {number} does not match its hash. "
                "It, or one before it, was altered, added or removed."
            )
            raise RecordIntegrityError(message) from error
        self.head = claimed
        self._places[claimed] = number
        self._offset += len(line)


def decode(stored: dict[str, Any]) -> Event:
    """Return the event of a stored line."""
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
    return line == line_of(stored, claimed) and claimed == hash_of(stored)


def _quick(stored: dict[str, Any]) -> bytes:
    plain = json.dumps(
        stored, sort_keys=True, ensure_ascii=False, allow_nan=False, separators=(",", ":")
    )
    return plain.encode()


def hash_of(stored: dict[str, Any]) -> str:
    """Return the hash that a line claims: SHA-256 over all else of it, as hexadecimal."""
    import rfc8785

    return hashlib.sha256(rfc8785.dumps(stored)).hexdigest()


def line_of(stored: dict[str, Any], digest: str) -> bytes:
    """Return an event with its hash as a line: canonical JSON (RFC 8785)."""
    import rfc8785

    return rfc8785.dumps({**stored, "hash": digest}) + b"\n"
