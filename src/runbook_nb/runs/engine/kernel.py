"""The kernel process of one run: started before the slow imports, ended with all it started.

The kernel is the running interpreter's own, whatever kernels are installed. It leads a session of
its own, so that Ctrl-C reaches only the runner and the runner can end everything that cells
started. It is reached by sockets in a private folder: nothing listens on a port.
"""

import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Final, Self, cast

from runbook_nb.errors import ExecutionError
from runbook_nb.runs.engine import watchdog

# No history on disk: it keeps what is typed, and runs would wait for each other's lock on it. No
# import from the folder in which a kernel stands: anybody may have put a file there.
DISCREET: Final = ("--HistoryManager.hist_file=:memory:", "--InteractiveShellApp.ignore_cwd=True")
_CHANNELS: Final = ("shell", "iopub", "stdin", "control", "hb")
PROGRAM: Final = str(Path(__file__).with_name("kernel_process.py"))
# A socket's path holds at most 104 bytes on macOS and 108 on Linux.
_FOLDER_LIMIT: Final = 80


class Kernel:
    """One kernel process and its keeper; a context manager that leaves no process behind.

    One that ``waits`` runs nothing until a run is handed over to it.
    """

    def __init__(self, environ: Mapping[str, str], *, waits: bool = False) -> None:
        self._ended = False
        try:
            self._folder = private_folder()
            self.connection = self._folder / "connection.json"
            self._write_connection()
            self._process = self._start(environ, waits=waits)
        except OSError as error:
            message = f"The kernel could not be started: {error}. Nothing was run."
            raise ExecutionError(message) from error
        self._keeper = self._keep()

    def __enter__(self) -> Self:
        """Return the started kernel."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the kernel and remove its folder."""
        self.close()

    def close(self) -> None:
        """End the kernel and its keeper, and remove its folder."""
        self.end()
        self._dismiss_keeper()
        shutil.rmtree(self._folder, ignore_errors=True)

    def hand_over(self, environ: Mapping[str, str]) -> None:
        """Make a waiting kernel that of a run in this folder; OSError when it is gone."""
        run = {
            "environ": self._environ(environ),
            "folder": str(Path.cwd()),
            "arguments": self._arguments(),
        }
        # Whoever wrote to a pipe that nobody reads any more gets a BrokenPipeError.
        with cast("IO[bytes]", self._process.stdin) as pipe:
            pipe.write(json.dumps(run).encode())

    @property
    def pid(self) -> int:
        """The process id, which is also that of its group and session."""
        return self._process.pid

    def alive(self) -> bool:
        """Tell whether the process runs."""
        return self._process.poll() is None

    def listening(self) -> bool:
        """Tell whether the kernel has opened all its sockets."""
        return all(self._socket(number).exists() for number, _ in enumerate(_CHANNELS, start=1))

    def end(self) -> None:
        """Kill the kernel and everything that its cells started, at once."""
        if self._ended:
            return  # its number may be another process by now
        watchdog.end_session(self.pid)
        self._process.wait()
        self._ended = True

    def cause_of_death(self) -> str:
        """Say how the process ended: its signal, or its exit code and last line."""
        code = self._process.poll()
        if code is None:
            return "it still runs"
        if code < 0:
            return f"ended by {signal.Signals(-code).name}"
        return f"exit code {code}" + (f", {last}" if (last := self._last_line()) else "")

    def _start(self, environ: Mapping[str, str], *, waits: bool) -> subprocess.Popen[bytes]:
        # Without -P a file that lies in the folder where we happen to stand is imported first.
        command = [sys.executable, "-P", *([PROGRAM] if waits else self._arguments())]
        with (self._folder / "kernel.log").open("wb") as log:
            return subprocess.Popen(
                command,
                env=self._environ(environ),
                stdin=subprocess.PIPE if waits else subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _arguments(self) -> list[str]:
        """Return what the kernel finds as its arguments."""
        return [PROGRAM, "-f", str(self.connection), *DISCREET]

    def _environ(self, environ: Mapping[str, str]) -> dict[str, str]:
        return {**environ, "JPY_PARENT_PID": str(os.getpid())}

    def _keep(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-I", "-S", watchdog.__file__, str(self.pid), str(self._folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def _dismiss_keeper(self) -> None:
        try:
            self._keeper.communicate(b".", timeout=5)
        except subprocess.TimeoutExpired:
            self._keeper.kill()
            self._keeper.wait()

    def _write_connection(self) -> None:
        ports = {f"{channel}_port": number for number, channel in enumerate(_CHANNELS, start=1)}
        connection = {
            "transport": "ipc",
            "ip": str(self._folder / "k"),
            **ports,
            "key": secrets.token_hex(32),
            "signature_scheme": "hmac-sha256",
            "kernel_name": "python3",
        }
        self.connection.write_text(json.dumps(connection), encoding="utf-8")

    def _socket(self, number: int) -> Path:
        return self._folder / f"k-{number}"

    def _last_line(self) -> str:
        log = (self._folder / "kernel.log").read_text(encoding="utf-8", errors="replace")
        lines = log.strip().splitlines()
        return lines[-1] if lines else ""


def private_folder() -> Path:
    """Return a new folder that only this user can enter, with a path short enough for sockets."""
    parent = tempfile.gettempdir()
    short = parent if len(os.fsencode(parent)) < _FOLDER_LIMIT else "/tmp"  # noqa: S108 - mkdtemp
    return Path(tempfile.mkdtemp(prefix="runbook-", dir=short))
