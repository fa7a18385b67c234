"""Verify: repeat a check until it holds, or time is up."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from runbook_nb.timeline.events import Checked, Verdict

# As many looks as fit the time, but no more than four a second, nor fewer than one in ten seconds.
LOOKS: Final = 120
SHORTEST_S: Final = 0.25
LONGEST_S: Final = 10.0


@dataclass(frozen=True, kw_only=True)
class RepeatedCheck:
    """One check, read again and again."""

    read: Callable[[], Checked]
    now: Callable[[], datetime]
    sleep: Callable[[float], None]

    def run(self, *, within: timedelta, readings: int, wait: bool) -> dict[str, Any]:
        """Return the fields of what was found: the last reading and how often it held.

        Without ``wait`` the check is read once.
        """
        began = self.now()
        pause_s = min(LONGEST_S, max(SHORTEST_S, within.total_seconds() / LOOKS))
        held = 0
        while True:
            checked = self.read()
            held = held + 1 if checked.verdict is Verdict.PASS else 0
            took = self.now() - began
            if held >= readings or not wait or took >= within:
                return _found(checked, held, readings, took, waited=wait)
            self.sleep(pause_s)


def _found(
    checked: Checked, held: int, readings: int, took: timedelta, *, waited: bool
) -> dict[str, Any]:
    # Held too few times is no pass, even if the last reading was one.
    short = waited and held < readings and checked.verdict is Verdict.PASS
    return {
        "verdict": Verdict.WARN if short else checked.verdict,
        "readings": held,
        "wanted": readings if waited else 1,
        "took_s": round(took.total_seconds(), 3),
        "waited": waited,
        "evidence": checked.evidence,
        "expect": checked.expect,
    }
