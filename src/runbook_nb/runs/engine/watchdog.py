"""The keeper of a kernel: a small process that ends the kernel when the runner is gone.

It waits on a pipe whose other end only the runner holds. A word on the pipe means that the runner
has ended the kernel itself; the end of the pipe without a word means that the runner was killed.
It imports nothing of this package, so that it is there within milliseconds.
"""

import os
import signal
import sys
import time

TYPE_CHECKING = False  # as typing has it, which takes longer to load than all the rest
if TYPE_CHECKING:
    from collections.abc import Callable

# A process may fork between the look and the kill; each round finds what the last one missed.
_ROUNDS = 20
_PAUSE_S = 0.005


def end_session(leader: int) -> None:
    """Kill the process ``leader`` and all that it started, unless they left its session.

    A process that called ``setsid`` meant to outlive its starter. Without ``/proc`` only the
    leader's process group can be found.
    """
    for _ in range(_ROUNDS):
        _kill(os.killpg, leader)
        members = _members(leader)
        if not members:
            return
        for member in members:
            _kill(os.kill, member)
        time.sleep(_PAUSE_S)


def main(leader: int, folder: str) -> None:
    """Wait for the runner's word or its death; after its death, end the session and tidy up."""
    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, signal.SIG_IGN)
    if os.read(0, 1):
        return
    end_session(leader)
    import shutil

    shutil.rmtree(folder, ignore_errors=True)


def _kill(kill: "Callable[[int, int], None]", target: int) -> None:
    try:
        kill(target, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return


def _members(session: int) -> list[int]:
    """Return the living processes of a session; none where there is no ``/proc``."""
    try:
        processes = [int(name) for name in os.listdir("/proc") if name.isdigit()]  # noqa: PTH208
    except OSError:
        return []
    return [process for process in processes if _session_of(process) == session]


def _session_of(process: int) -> int:
    try:
        with open(f"/proc/{process}/stat", "rb") as file:  # noqa: PTH123 - pathlib loads slowly
            fields = file.read().rpartition(b")")[2].split()
    except OSError:
        return 0
    return 0 if fields[0] in b"ZX" else int(fields[3])


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
