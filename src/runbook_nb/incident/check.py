"""Read a probe into evidence: whatever goes wrong on the way is a reason, never a crash."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from runbook_nb.errors import RunbookError
from runbook_nb.incident.edits import Edit
from runbook_nb.probes.calls import Probe, Reading, Systems
from runbook_nb.probes.environment import Environment
from runbook_nb.probes.limits import Limit, judge
from runbook_nb.timeline.events import Checked, Evidence, Verdict


@dataclass(frozen=True, kw_only=True)
class Check:
    """A probe with the limits it is judged by, as its cell wrote them.

    ``covered`` tells whether that cell is in the text that an approval names, ``edit`` how the cell
    differs from the runbook where it was planned and did not run.
    """

    title: str
    probe: Probe
    expect: Limit
    fail: Limit | None
    if_failed: str
    fresh: timedelta
    covered: bool = True
    edit: Edit | None = None

    def judged(self, evidence: Evidence, *, at: datetime, run: str, by: str) -> Checked:
        """Judge what its probe answered."""
        verdict, reason = judge(evidence, expect=self.expect, fail=self.fail)
        if verdict is Verdict.UNKNOWN and not evidence.reason:
            evidence = replace(evidence, reason=reason)
        return Checked(
            at=at,
            run=run,
            by=by,
            title=self.title,
            verdict=verdict,
            evidence=evidence,
            expect=str(self.expect),
            fail=str(self.fail or ""),
            if_failed=self.if_failed,
            fresh_s=self.fresh.total_seconds(),
        )


def read_evidence(
    probe: Probe,
    environment: Environment,
    *,
    read_at: datetime,
    opened: Callable[[Systems], None] = lambda _systems: None,
) -> Evidence:
    """Return what a probe answers; without an answer, the reason in words.

    ``opened`` is handed the connections, which whoever waits for the answer may cut.
    """
    asked: list[str] = []
    systems = environment.reading(asked, timeout_s=probe.timeout_s)
    opened(systems)
    started = time.perf_counter()
    try:
        reading = probe.read(systems)
        reason = "The system gave no answer." if reading.value is None else ""
    except Exception as error:  # noqa: BLE001 - no reading, no opinion: any error is unknown
        reading, reason = Reading(value=None), in_words(error)
    took_s = time.perf_counter() - started
    source = systems.source
    systems.close()
    return Evidence(
        question=str(probe),
        answer=reading.value,
        unit=probe.unit,
        source=source,
        asked=tuple(asked),
        detail=reading.detail,
        took_s=round(took_s, 4),
        read_at=read_at,
        reason=reason,
        impact=reading.impact,
    )


def in_words(error: Exception) -> str:
    """Say an error in one line; ours already say what, where and what next."""
    said = " ".join(str(error).split())
    if isinstance(error, RunbookError | TimeoutError):
        return said
    return f"{type(error).__name__}: {said}" if said else type(error).__name__
