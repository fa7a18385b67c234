"""Processes of our own: started detached, known by pid and start time, ended by identity."""

import errno
import os
import pwd
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from runbook_nb.errors import DatabaseServerError

_PROC = Path("/proc")
_POLL_S = 0.01
_KILL_WAIT_S = 5.0

# Held so that a child of ours that has died is reaped, and not taken for a living process.
_children: dict[int, "subprocess.Popen[bytes]"] = {}


@dataclass(frozen=True, kw_only=True)
class ServerAccount:
    """The system account that a process runs as."""

    name: str
    uid: int
    gid: int


def server_account() -> ServerAccount | None:
    """Return the account PostgreSQL runs as: `nobody` when we are root, else our own (None).

    PostgreSQL refuses to run as root.
    """
    if os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwnam("nobody")
    except KeyError:
        raise DatabaseServerError(
            "PostgreSQL refuses to run as root, and this system has no user 'nobody'. "
            "Start it as an ordinary user."
        ) from None
    return ServerAccount(name=entry.pw_name, uid=entry.pw_uid, gid=entry.pw_gid)


@dataclass(frozen=True, kw_only=True)
class ProcessIdentity:
    """A pid with the moment its process began, so that a reused pid is never taken for it.

    ``started`` is clock ticks since boot on Linux, seconds since the epoch elsewhere.
    """

    pid: int
    started: int

    @property
    def alive(self) -> bool:
        """Tell whether this very process still runs."""
        return identify(self.pid) == self


def identify(pid: int) -> ProcessIdentity | None:
    """Return who runs under ``pid`` now, or None if nobody does; a zombie is nobody."""
    _reap(pid)
    started = _started_on_linux(pid) if _PROC.is_dir() else _started_by_ps(pid)
    return None if started is None else ProcessIdentity(pid=pid, started=started)


def end(
    identity: ProcessIdentity, *, grace_s: float, asking: Sequence[int] = (signal.SIGTERM,)
) -> None:
    """Ask the process to end by each signal in turn, ``grace_s`` seconds each; then kill it.

    A process that has ended already is no error.
    """
    for number in asking:
        _send(identity, number)
        # A process that was halted cannot follow the first signal until it goes on.
        _send(identity, signal.SIGCONT)
        if wait_until(lambda: not identity.alive, within_s=grace_s):
            return
    _send(identity, signal.SIGKILL)
    if not wait_until(lambda: not identity.alive, within_s=_KILL_WAIT_S):
        raise DatabaseServerError(f"Process {identity.pid} does not end, even when killed.")


def start_detached(
    command: Sequence[str | Path],
    *,
    log: Path,
    account: ServerAccount | None = None,
    environment: Mapping[str, str] | None = None,
) -> ProcessIdentity:
    """Start a process in a session of its own, that outlives us; its output is added to ``log``."""
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        child = subprocess.Popen(
            [str(word) for word in command],
            stdin=subprocess.DEVNULL,
            stdout=descriptor,
            stderr=descriptor,
            cwd="/",
            env=environment,
            start_new_session=True,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
        )
    finally:
        os.close(descriptor)
    _children[child.pid] = child
    # A child that has ended already still needs an identity: start time 0 matches no process.
    return identify(child.pid) or ProcessIdentity(pid=child.pid, started=0)


def command_of(pid: int) -> str:
    """Return the command line of a process, or nothing when it has ended.

    Every account may read it, unlike the working directory: root in a container may not.
    """
    if not _PROC.is_dir():
        return _ps("-o", "command=", "-p", str(pid)).strip()
    try:
        return (_PROC / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
    except (OSError, UnicodeDecodeError):
        return ""


def commands() -> dict[int, str]:
    """Return the command line of each process of the machine by its pid."""
    if _PROC.is_dir():
        pids = [int(entry.name) for entry in _PROC.iterdir() if entry.name.isdigit()]
        return {pid: command_of(pid) for pid in pids}
    lines = [line.split(maxsplit=1) for line in _ps("-axo", "pid=,command=").splitlines()]
    return {int(words[0]): words[-1] for words in lines}


def wait_until(condition: Callable[[], bool], *, within_s: float) -> bool:
    """Wait until ``condition`` holds; False when it still does not after ``within_s`` seconds."""
    deadline = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_S)
    return True


def _send(identity: ProcessIdentity, number: int) -> None:
    """Signal the process if it is still the same one."""
    with suppress(ProcessLookupError):
        if identity.alive:
            os.kill(identity.pid, number)


def _reap(pid: int) -> None:
    """Collect a dead child, which would otherwise stay in the process table."""
    child = _children.get(pid)
    if child is not None and child.poll() is not None:
        del _children[pid]


def _started_on_linux(pid: int) -> int | None:
    """Read field 22 of /proc/<pid>/stat; the program's name before it may hold spaces."""
    try:
        fields = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] in {"Z", "X"} else int(fields[19])


def _started_by_ps(pid: int) -> int | None:
    """Ask ps, where there is no /proc."""
    answer = _ps("-o", "stat=,lstart=", "-p", str(pid)).split(maxsplit=1)
    if not answer or answer[0].startswith("Z"):
        return None
    return int(time.mktime(time.strptime(answer[1].strip(), "%a %b %d %H:%M:%S %Y")))


def _ps(*arguments: str) -> str:
    return subprocess.run(
        ["ps", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "LC_ALL": "C"},
    ).stdout


def explain(error: OSError) -> str:
    """Say in words what the system refused, with the way out where there is one."""
    if error.errno == errno.ENOSPC:
        return f"No space is left on the disk for {error.filename or 'a server'}; free some."
    return f"{error.strerror or error}: {error.filename or 'the folder of a server'}."


def python_command(module: str, *arguments: str | Path) -> list[str]:
    """Return the command that runs ``module`` in this very Python."""
    return [sys.executable, "-m", module, *(str(argument) for argument in arguments)]
