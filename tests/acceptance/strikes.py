"""What strikes the processes of a trial: those are found by a variable that only they have."""

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path


def processes_with(variable: str, value: object) -> Iterator[tuple[int, str]]:
    """Yield the pid and the command line of each other process that has this variable."""
    wanted = f"{variable}={value}".encode()
    for entry in Path("/proc").iterdir():
        with suppress(OSError):
            if not entry.name.isdigit() or int(entry.name) == os.getpid():
                continue
            if wanted not in (entry / "environ").read_bytes().split(b"\0"):
                continue
            yield int(entry.name), (entry / "cmdline").read_bytes().decode(errors="replace")


def send(process: int, signum: signal.Signals) -> None:
    """Send a signal; a process that has ended is no error."""
    with suppress(ProcessLookupError, PermissionError):
        os.kill(process, signum)
