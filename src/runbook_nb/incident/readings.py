"""Readings taken side by side: the probes of a diagnosis, each kept until its check asks for it.

So a diagnosis takes as long as its slowest check. Nothing is judged or written here: each check
does that in its own place in the notebook.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from runbook_nb.incident.check import read_evidence
from runbook_nb.probes.calls import Probe, Systems
from runbook_nb.probes.environment import Environment
from runbook_nb.timeline.events import Evidence

# A reading stands for a check that runs so soon after the last one of them all has ended. By hand,
# a step that comes later reads anew.
STANDS_S: Final = 60.0


@dataclass(kw_only=True)
class SideReading:
    """One probe on its way: ``evidence`` is there once it has ``ended``."""

    probe: Probe
    ended: threading.Event = field(default_factory=threading.Event)
    evidence: Evidence | None = None
    _systems: Systems | None = None
    _cut: bool = False

    def read(self, environment: Environment, *, now: Callable[[], datetime]) -> None:
        """Ask now, and keep what was answered."""
        self.evidence = read_evidence(
            self.probe, environment, read_at=now(), opened=self._keep_open
        )

    def cut(self) -> None:
        """Cut its connections, also those that it opens only now."""
        self._cut = True
        if self._systems is not None and not self.ended.is_set():
            with suppress(Exception):
                self._systems.close()

    def _keep_open(self, systems: Systems) -> None:
        self._systems = systems
        if self._cut:
            systems.close()


class Readings:
    """Reads probes side by side, at most so many at once as the environment allows.

    A probe that asks to be alone is read when no other one is on its way.
    """

    def __init__(
        self,
        environment: Environment,
        *,
        now: Callable[[], datetime],
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        self._environment, self._now, self._ticks = environment, now, ticks
        self._kept: list[SideReading] = []
        self._waiting: deque[SideReading] = deque()
        self._turn = threading.Condition()
        self._busy, self._ended_at, self._begun = 0, 0.0, False

    def begin(self, probes: Sequence[Probe]) -> None:
        """Begin to read these probes, in their order; a second call begins nothing.

        One probe alone is left to its own check.
        """
        if self._begun:
            return
        self._begun = True
        if len(probes) == 1:
            return
        self._kept = [SideReading(probe=probe) for probe in probes]
        # Those that want to be alone come last, so that they hold up no other.
        self._waiting.extend(sorted(self._kept, key=lambda reading: reading.probe.alone))
        for _ in range(min(self._environment.concurrent_probes, len(probes))):
            threading.Thread(target=self._work, name="readings", daemon=True).start()

    def take(self, probe: Probe) -> Evidence | None:
        """Return what a probe answered, once; waits for it. None where it must be read anew."""
        reading = next((each for each in self._kept if _is_same(each.probe, probe)), None)
        if reading is None:
            return None
        try:
            reading.ended.wait()
        except BaseException:
            # Somebody interrupts: what goes on behind their back must not.
            self.drop()
            raise
        with self._turn:
            self._kept = [each for each in self._kept if each is not reading]
            over = not (self._waiting or self._busy)
            late = over and self._ticks() - self._ended_at > STANDS_S
        return None if late else reading.evidence

    def drop(self) -> None:
        """Forget all readings: what was read before a change says nothing about now."""
        with self._turn:
            left, self._kept, self._begun = self._kept, [], True
            self._waiting.clear()
            self._turn.notify_all()
        for reading in left:
            reading.cut()

    def _work(self) -> None:
        while (reading := self._next()) is not None:
            try:
                reading.read(self._environment, now=self._now)
            finally:
                with self._turn:
                    self._busy, self._ended_at = self._busy - 1, self._ticks()
                    reading.ended.set()
                    self._turn.notify_all()

    def _next(self) -> SideReading | None:
        """Wait for the next reading that may begin; None when there is none left."""
        with self._turn:
            while self._waiting:
                if not (self._waiting[0].probe.alone and self._busy):
                    self._busy += 1
                    return self._waiting.popleft()
                self._turn.wait()
        return None


def _is_same(one: Probe, other: Probe) -> bool:
    # What a call is compared by leaves out the function behind its name.
    return one == other and one.run is other.run
