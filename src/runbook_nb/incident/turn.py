"""The turn: of all runs of an incident one acts at a time, and the close waits for it.

On one machine it is a lock on a file. Where several work on the incident, the store has a lease as
well: who is frozen loses it, and cannot begin to act when he wakes.

It is taken late and for a short time: never while a person thinks.
"""

import fcntl
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import IO, Final

from runbook_nb.errors import TurnTakenError
from runbook_nb.probes.calls import unfinished
from runbook_nb.timeline import queries
from runbook_nb.timeline.lock import open_lock
from runbook_nb.timeline.log import Timeline
from runbook_nb.timeline.store.chain import Lease

# An action may take an hour; whoever waits for one is told, and may come again.
PATIENCE_S: Final = 90.0
_LOOK_EVERY_S: Final = 0.05


@contextmanager
def turn(
    timeline: Timeline, *, say: Callable[[str], None], patience_s: float = PATIENCE_S
) -> Iterator[bool]:
    """Hold the turn of an incident; yields whether it had to be waited for.

    Raises TurnTakenError, with who acts, after ``patience_s``. A call that was cut off and goes
    on all the same keeps the turn until it has ended.
    """
    waiting = _Waiting(timeline, say, patience_s, time.monotonic() + patience_s)
    timeline.refresh()  # of another machine's incident nothing may be here yet
    file = os.fdopen(open_lock(timeline.folder.turn), "a")
    lease = Lease(timeline.chain) if timeline.chain else None
    left_before = unfinished()
    try:
        waiting.until(partial(_locked, file))
        if lease is not None:
            waiting.until(lease.taken)
            timeline.refresh()
        yield waiting.waited
    finally:
        _give_back(file, lease, [call for call in unfinished() if call not in left_before])


@dataclass
class _Waiting:
    """Who waits for a turn, and for how long."""

    timeline: Timeline
    say: Callable[[str], None]
    patience_s: float
    ends: float
    waited: bool = False

    def until(self, taken: Callable[[], bool]) -> None:
        """Wait until a lock is taken; raises TurnTakenError."""
        while not taken():
            holder = _holder(self.timeline)
            if time.monotonic() >= self.ends:
                message = f"{holder}. Nothing was done; try again when that has ended."
                raise TurnTakenError(message)
            if not self.waited:
                self.say(f"{holder}; this waits for it, at most {self.patience_s:g} s.")
            self.waited = True
            time.sleep(_LOOK_EVERY_S)


def _locked(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _holder(timeline: Timeline) -> str:
    """Say who acts, as the timeline tells it."""
    begun = [attempt.acting for attempt in queries.unsettled(timeline)]
    if not begun:
        return "Somebody else acts in this incident now"
    newest = begun[-1]
    return f"{newest.by or 'Somebody else'} acts in this incident now: {newest.title!r}"


def _give_back(file: IO[str], lease: Lease | None, calls: list[threading.Event]) -> None:
    def end() -> None:
        for call in calls:
            call.wait()
        if lease is not None:
            lease.end()
        file.close()

    if calls:
        threading.Thread(target=end, name="turn", daemon=True).start()
    else:
        end()
