"""Drills: inject a fault, run the runbook, compare with what it must find, heal.

Each runs here with live progress, and under ``chaos run`` unchanged.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runbook_nb.authoring.drills.steps import DrillStage, findings, prepare
from runbook_nb.errors import DrillError, near
from runbook_nb.runbook import Runbook, runbooks_folder
from runbook_nb.runbook.drill import Drill, drills_in
from runbook_nb.runbook.lab import Lab
from runbook_nb.runbook.packs import find_lab
from runbook_nb.runs.engine.progress import Progress
from runbook_nb.runs.engine.spare_kernel import SpareKernel


@dataclass(frozen=True, kw_only=True)
class DrillResult:
    """What a drill showed. ``problem`` is empty when it passed; ``record`` is the page.

    ``journal`` is what Chaos Toolkit wrote about it.
    """

    drill: Drill
    problem: str
    took_s: float
    incident: str = ""
    record: Path | None = None
    found: dict[str, Any] | None = None
    journal: dict[str, Any] | None = None
    interrupted: bool = False

    @property
    def passed(self) -> bool:
        """Tell whether the runbook found and fixed what it must, and the lab is well again."""
        return not self.problem

    def facts(self) -> dict[str, Any]:
        """Return the result as JSON."""
        return {
            "drill": self.drill.name,
            "passed": self.passed,
            "problem": self.problem,
            "took_s": round(self.took_s, 1),
            "incident": self.incident,
            "record": str(self.record or ""),
            "found": self.found,
        }


def find_drills(runbook: str | None = None, fault: str | None = None) -> list[Drill]:
    """Return the drills of a runbook, or all; ``runbook`` may also name one, as results do.

    Raises DrillError with near names if none fits.
    """
    known = drills_in(runbooks_folder())
    found = [
        drill
        for drill in known
        if runbook in (None, drill.runbook, drill.name) and fault in (None, drill.fault)
    ]
    if not found:
        raise DrillError(_missing(known, runbook or "", fault or ""))
    return found


def _missing(known: list[Drill], name: str, fault: str) -> str:
    """Say of a drill that there is none which word of it is wrong."""
    runbook, _, named = name.partition(".")
    own = [drill for drill in known if runbook in ("", drill.runbook)]
    if not own:
        return f"No drill is of {runbook!r}. {near(runbook, {drill.runbook for drill in known})}"
    wanted = fault or named
    of = f"of {runbook} " if runbook else ""
    return f"No drill {of}has the fault {wanted!r}. {near(wanted, {drill.fault for drill in own})}"


def run_drill(
    drill: Drill,
    *,
    progress: Progress,
    say: Callable[[str], None],
    ready: SpareKernel | None = None,
) -> DrillResult:
    """Run one drill on the running lab and return what it showed.

    Drills of a series share ``ready``, and with it need not wait for a kernel.
    """
    from chaoslib.experiment import run_experiment

    # Chaos Toolkit logs to the terminal by itself; what matters is said here and in the journal.
    logging.getLogger("chaostoolkit").setLevel(logging.CRITICAL)
    if drill.problem:
        message = f"{drill.path} cannot be read: {drill.problem}. Run: runbook lint {drill.runbook}"
        raise DrillError(message)
    experiment = dict(drill.experiment)
    stage = DrillStage(progress=progress, ready=ready)
    prepare(stage)
    lab_of(drill)
    began = time.monotonic()
    say(f"{experiment['title']}: {experiment['description']}")
    journal = run_experiment(experiment, settings={})
    return DrillResult(
        drill=drill,
        problem=_problem(journal, firing=stage.firing),
        took_s=time.monotonic() - began,
        incident=stage.run.incident if stage.run else "",
        record=stage.record,
        found=findings(stage.run) if stage.run else None,
        journal=journal,
        interrupted=journal["status"] == "interrupted"
        or bool(stage.run and stage.run.execution.reason == "interrupted"),
    )


def lab_of(drill: Drill) -> Lab:
    """Return the lab that a drill breaks, and let the environment ``lab`` be that one."""
    if not drill.is_control:
        return find_lab(fault=drill.fault)
    return find_lab(source=Runbook.find(drill.runbook).source())


def _problem(journal: dict[str, Any], *, firing: list[str]) -> str:
    """Say what went wrong, the first thing first; empty when nothing did."""
    before = (journal.get("steady_states") or {}).get("before") or {}
    if not before.get("steady_state_met", True):
        return f"The lab was not healthy before the drill: {', '.join(firing)}."
    for step in [*journal.get("run", ()), *journal.get("rollbacks", ())]:
        if step["status"] != "succeeded":
            return f"{step['activity']['name']}: {_last_line(step)}"
    if journal["status"] != "completed" or journal["deviated"]:
        said = ", ".join(firing) or journal["status"]
        return f"The lab was not healthy after the drill: {said}."
    return ""


def _last_line(step: dict[str, Any]) -> str:
    lines = [str(line).strip() for line in step.get("exception") or () if str(line).strip()]
    return lines[-1].rpartition("ActivityFailed: ")[2] if lines else str(step["status"])
