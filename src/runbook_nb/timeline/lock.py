"""A lock on a file between processes, waited for a while and never in silence."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from runbook_nb.errors import IncidentStateError
from runbook_nb.text.files import PRIVATE_FILE

PATIENCE_S: Final = 20.0  # whoever holds it writes a few lines
_ASK_AGAIN_S: Final = 0.02


@contextmanager
def locked(path: Path, *, what: str, patience_s: float = PATIENCE_S) -> Iterator[None]:
    """Hold the lock of a file that only its owner can open.

    Raises IncidentStateError, with ``what`` goes on and the process that holds it, when it is not
    free in time: somebody halted it, or another user holds it.
    """
    descriptor = open_lock(path)
    try:
        _take(descriptor, path, what=what, patience_s=patience_s)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(descriptor)


def open_lock(path: Path) -> int:
    """Return the descriptor of a lock's file that only its owner can open, made if need be.

    Whoever can open it can hold it, and then every run waits.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, PRIVATE_FILE)
    with suppress(PermissionError):  # another user's own
        os.fchmod(descriptor, PRIVATE_FILE)
    return descriptor


def _take(descriptor: int, path: Path, *, what: str, patience_s: float) -> None:
    ends = time.monotonic() + patience_s
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() < ends:
                time.sleep(_ASK_AGAIN_S)
                continue
            holder = os.pread(descriptor, 20, 0).decode("ascii", "replace") or "another process"
            message = (
                f"{what} by process {holder}, which has held {path} for {patience_s:g} s. Nothing "
                "was done. Look whether that process is halted, then try again."
            )
            raise IncidentStateError(message) from None
        return
