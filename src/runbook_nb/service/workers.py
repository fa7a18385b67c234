"""Processes that work orders: some wait ready, so that an order need not wait for Python."""

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from runbook_nb.service.traces import PARENT

CUT_WITHIN_S: Final = 20.0  # what a run may take to end once it was told
_READY_AT_MOST: Final = 2  # each holds some 120 MB, its kernel included
_RUNBOOK: Final = (sys.executable, "-m", "runbook_nb")
_WORK: Final = (*_RUNBOOK, "work")
_VALIDATE: Final = (*_RUNBOOK, "validate", "--due", "--at-most", "2")


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How a process ended, and what it said."""

    exit_code: int
    said: str


class Workers:
    """Starts a process for each order; the next ones wait with all imported and a kernel.

    One that waits reads its order from a line, and ends with us: then the line ends. Whoever has
    another ``program`` to work orders, or wants them ``cold``, gets a new one each time.
    """

    def __init__(self, program: Sequence[str] = (), *, cold: bool = False) -> None:
        self._program = tuple(program)
        self._most = 0 if program or cold else _READY_AT_MOST
        self._waiting: list[asyncio.subprocess.Process] = []
        self._starting = asyncio.Lock()

    @property
    def are_ready(self) -> bool:
        """Whether one waits for an order."""
        return any(each.returncode is None for each in self._waiting)

    async def get_ready(self, *, slots: int) -> None:
        """Start those that wait, up to so many."""
        async with self._starting:
            self._waiting = [each for each in self._waiting if each.returncode is None]
            while len(self._waiting) < min(slots, self._most):
                self._waiting.append(await _started(*_WORK, "--parked", waits=True))

    async def work(self, order: str, *, parent: str = "") -> Ended:
        """Have an order worked, and return how that ended; asked to end, it gets its time.

        ``parent`` names the span that its trace goes on from.
        """
        process = await self._handed(f"{order} {parent}".strip())
        if process is None:
            process = await _started(*(self._program or _WORK), order, parent=parent)
        return await _ended(process)

    async def validate(self) -> Ended:
        """Have the runbooks validated whose review is due, and return how that ended."""
        return await _ended(await _started(*_VALIDATE, shows=True))

    async def end(self) -> None:
        """End those that wait."""
        waiting, self._waiting = self._waiting, []
        for process in waiting:
            if process.stdin is not None:
                process.stdin.close()
        for process in waiting:
            try:
                await asyncio.wait_for(process.communicate(), CUT_WITHIN_S)
            except TimeoutError:
                process.kill()

    async def _handed(self, line: str) -> asyncio.subprocess.Process | None:
        """Hand a line to one that waits; None where none does."""
        while self._waiting:
            process = self._waiting.pop(0)
            if process.returncode is None and process.stdin is not None:
                with suppress(ConnectionError):
                    process.stdin.write(f"{line}\n".encode())
                    await process.stdin.drain()
                    process.stdin.close()
                    return process
        return None


async def _ended(process: asyncio.subprocess.Process) -> Ended:
    """Wait for the end of a process; one that is not waited for any more gets its time to end."""
    try:
        shown, said = await process.communicate()
    except asyncio.CancelledError:
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        with suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), CUT_WITHIN_S)
        raise
    words = (said + (shown or b"")).decode(errors="replace")
    return Ended(exit_code=process.returncode or 0, said=words)


async def _started(
    *command: str, waits: bool = False, shows: bool = False, parent: str = ""
) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.PIPE if waits else asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE if shows else asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
        env={**os.environ, PARENT: parent} if parent else None,
    )
