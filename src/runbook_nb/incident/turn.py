"""The turn: of all runs of an incident one acts at a time, and the close waits for it.

It is taken late and for a short time: never while a person thinks.
"""

import fcntl
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, Final

from runbook_nb.errors import IncidentStateError
from runbook_nb.probes.calls import unfinished
from runbook_nb.timeline import queries
from runbook_nb.timeline.lock import open_lock
from runbook_nb.timeline.log import Timeline

# An action may take an hour; whoever waits for one is told, and may come again.
PATIENCE_S: Final = 90.0
_LOOK_EVERY_S: Final = 0.05


class TurnTakenError(IncidentStateError):
    """Somebody else acts in this incident; nothing was done."""


@contextmanager
def turn(
    timeline: Timeline, *, say: Callable[[str], None], patience_s: float = PATIENCE_S
) -> Iterator[bool]:
    """Hold the turn of an incident; yields whether it had to be waited for.

    Raises TurnTakenError, with who acts, after ``patience_s``. A call that was cut off and goes
    on all the same keeps the turn until it has ended.
    """
    file = os.fdopen(open_lock(timeline.folder.turn), "a")
    left_before = unfinished()
    try:
        waited = _take(file, timeline, say, patience_s)
        yield waited
    finally:
        _give_back(file, [call for call in unfinished() if call not in left_before])


def _take(file: IO[str], timeline: Timeline, say: Callable[[str], None], patience_s: float) -> bool:
    ends = time.monotonic() + patience_s
    waited = False
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= ends:
                message = f"{_holder(timeline)}. Nothing was done; try again when that has ended."
                raise TurnTakenError(message) from None
            if not waited:
                say(f"{_holder(timeline)}; this waits for it, at most {patience_s:g} s.")
            waited = True
            time.sleep(_LOOK_EVERY_S)
        else:
            return waited


def _holder(timeline: Timeline) -> str:
    """Say who acts, as the timeline tells it."""
    begun = [attempt.acting for attempt in queries.unsettled(timeline)]
    if not begun:
        return "Somebody else acts in this incident now"
    newest = begun[-1]
    return f"{newest.by or 'Somebody else'} acts in this incident now: {newest.title!r}"


def _give_back(file: IO[str], calls: list[threading.Event]) -> None:
    if not calls:
        file.close()
        return

    def close_at_last() -> None:
        for call in calls:
            call.wait()
        file.close()

    threading.Thread(target=close_at_last, name="turn", daemon=True).start()
