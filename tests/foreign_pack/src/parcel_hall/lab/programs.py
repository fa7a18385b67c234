"""The programs of the hall as processes: started, found again, ended by their ids."""

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PATIENCE_S = 60.0
POLL_S = 0.1


@dataclass(frozen=True, kw_only=True)
class Program:
    """One program in the lab's folder; it holds a lock for as long as it lives."""

    name: str
    source: str
    folder: Path

    def start(self, *words: str) -> None:
        """Start it as a process that outlives this one."""
        with (self.folder / f"{self.name}.log").open("wb") as log:
            subprocess.Popen(
                [sys.executable, self.source, str(self.folder), *words],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def end(self) -> None:
        """End it by its process id, a halted one too, and wait until it is gone."""
        if self.is_running() and (told := self.told()):
            os.kill(told["pid"], signal.SIGKILL)
            for _ in tries():
                if not self.is_running():
                    break
        for kind in ("lock", "json", "tmp", "log"):
            (self.folder / f"{self.name}.{kind}").unlink(missing_ok=True)

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal, if it runs."""
        if self.is_running() and (told := self.told()):
            os.kill(told["pid"], number)

    def told(self) -> dict[str, Any] | None:
        """Return what it says of itself once it works; None before."""
        try:
            told: dict[str, Any] = json.loads((self.folder / f"{self.name}.json").read_text())
        except FileNotFoundError:
            return None
        return told

    def is_running(self) -> bool:
        """Tell whether its process lives."""
        try:
            with (self.folder / f"{self.name}.lock").open() as lock:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except FileNotFoundError:
            return False
        except BlockingIOError:
            return True
        return False


def tries() -> Iterator[None]:
    """Go on for as long as patience lasts, with a pause between two tries."""
    ends = time.monotonic() + PATIENCE_S
    while time.monotonic() < ends:
        yield
        time.sleep(POLL_S)
