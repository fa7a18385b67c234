"""Verify: repeat a check until it holds, or time is up."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from runbook_nb.timeline.events import Checked, Verdict

# As many looks as fit the time, but no more than four a second, nor fewer than one in ten seconds.
LOOKS: Final = 120
SHORTEST_S: Final = 0.25
LONGEST_S: Final = 10.0


@dataclass(frozen=True, kw_only=True)
class RepeatedCheck:
    """One check, read again and again; ``ticks`` are seconds that only go forward.

    Before each pause ``waits`` is told the last reading and the seconds that are left.
    """

    read: Callable[[], Checked]
    ticks: Callable[[], float]
    sleep: Callable[[float], None]
    waits: Callable[[Checked, float], None]

    def look(self, read_before: Checked | None) -> dict[str, Any]:
        """Return the fields of what was read before, or else of one reading now."""
        began = self.ticks()
        checked = read_before or self.read()
        held = int(checked.verdict is Verdict.PASS)
        return _found(checked, held, 1, self.ticks() - began, waited=False)

    def run(self, *, within: timedelta, readings: int) -> dict[str, Any]:
        """Return the fields of what was found: the last reading and how often it held."""
        began, waited_s = self.ticks(), 0.0
        pause_s = min(LONGEST_S, max(SHORTEST_S, within.total_seconds() / LOOKS))
        held = 0
        while True:
            checked = self.read()
            held = held + 1 if checked.verdict is Verdict.PASS else 0
            # A wall clock may be set meanwhile; what was slept has passed at the least.
            took_s = max(self.ticks() - began, waited_s)
            if held >= readings or took_s >= within.total_seconds():
                return _found(checked, held, readings, took_s, waited=True)
            self.waits(checked, within.total_seconds() - took_s)
            self.sleep(pause_s)
            waited_s += pause_s


def _found(
    checked: Checked, held: int, readings: int, took_s: float, *, waited: bool
) -> dict[str, Any]:
    # Held too few times is no pass, even if the last reading was one.
    short = waited and held < readings and checked.verdict is Verdict.PASS
    return {
        "verdict": Verdict.WARN if short else checked.verdict,
        "readings": held,
        "wanted": readings,
        "took_s": round(took_s, 3),
        "waited": waited,
        "evidence": checked.evidence,
        "expect": checked.expect,
    }
