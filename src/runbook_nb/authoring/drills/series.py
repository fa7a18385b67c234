"""Run drills one after the other and show what they found as a table."""

import fcntl
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TextIO

from runbook_nb.authoring.drills.columns import in_columns
from runbook_nb.authoring.drills.experiment import DrillResult, run_drill
from runbook_nb.errors import DrillError
from runbook_nb.probes.lab_settings import lab_folder
from runbook_nb.runbook.drill import Drill
from runbook_nb.runbook.packs import packs_in_use
from runbook_nb.runs.engine.progress import for_stream
from runbook_nb.runs.engine.spare_kernel import SpareKernel


def first_drill(drills: Sequence[Drill]) -> Drill:
    """Return the drill to begin with: the one that a pack names, else the first with a fault."""
    named = {pack.first_drill for pack in packs_in_use()}
    faults = [drill for drill in drills if not drill.is_control] or list(drills)
    return next((drill for drill in faults if drill.name in named), faults[0])


def drill_all(
    drills: Sequence[Drill], *, times: int, stream: TextIO, say: Callable[[str], None]
) -> list[DrillResult]:
    """Run all drills so many times, showing each live; end with a table."""
    results = []
    with alone_on_lab(), SpareKernel() as ready:
        for drill in [drill for _ in range(times) for drill in drills]:
            result = run_drill(drill, progress=for_stream(stream), say=say, ready=ready)
            results.append(result)
            say(_line(result))
            if result.record:
                say(f"Record: {result.record}\n")
            if result.interrupted:
                say("Interrupted: the drills that were left are not run.")
                break
    if len(results) > 1:
        say(table(results))
    return results


@contextmanager
def alone_on_lab() -> Iterator[None]:
    """Hold the lab for a series; two at once would join each other's incidents.

    Raises DrillError if another series holds it.
    """
    with (lab_folder() / "drills.lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            message = (
                f"Another drill runs on the lab in {lab_folder()}. "
                "Wait for it, or use another lab: RUNBOOK_LAB."
            )
            raise DrillError(message) from error
        with _ended_as_by_hand():
            yield


@contextmanager
def _ended_as_by_hand() -> Iterator[None]:
    """Let a scheduler end a series as Ctrl-C does, so that what is broken is healed."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def table(results: Sequence[DrillResult]) -> str:
    """Return the results as a table of plain text: what was found, chosen and fixed, seconds."""
    rows = [("drill", "result", "failed checks", "option", "resolved", "s"), *map(_row, results)]
    return "\n".join(in_columns(rows))


def _row(result: DrillResult) -> tuple[str, ...]:
    found = result.found or {}
    return (
        result.drill.fault,
        "passed" if result.passed else "FAILED",
        ", ".join(found.get("failed", ())) or "none",
        (found.get("option") or "none").partition(":")[0],
        "yes" if found.get("resolved") else "no",
        f"{result.took_s:.1f}",
    )


def _line(result: DrillResult) -> str:
    if result.passed:
        return f"Drill passed in {result.took_s:.1f} s: {result.drill.name}"
    return f"Drill FAILED after {result.took_s:.1f} s: {result.drill.name}. {result.problem}"
