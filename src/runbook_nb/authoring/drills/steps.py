"""What an experiment of a drill names: the steps by which a fault proves a runbook.

Each function is a provider of Chaos Toolkit, called with the arguments the experiment gives. They
work on the running lab and leave an incident with its record behind.
"""

import json
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from chaoslib.exceptions import ActivityFailed

from runbook_nb.errors import RunbookNotFoundError
from runbook_nb.incident.context import actor
from runbook_nb.record.close import close
from runbook_nb.runbook.lab import Fault
from runbook_nb.runbook.packs import find_fault, find_lab
from runbook_nb.runbook.runbook import Runbook
from runbook_nb.runs.engine.progress import Progress
from runbook_nb.runs.engine.spare_kernel import SpareKernel
from runbook_nb.runs.run import Order, Run, run
from runbook_nb.text.values import Json
from runbook_nb.timeline import queries
from runbook_nb.timeline.alerts import read_alerts
from runbook_nb.timeline.events import (
    DRILL,
    Alert,
    Checked,
    Event,
    Verdict,
    Verified,
)
from runbook_nb.timeline.folder import incidents_folder


@dataclass
class DrillStage:
    """What the steps of one drill share: screen, ready kernel, alert, run and what differs.

    A fresh one is put in place for every drill; Chaos Toolkit hands nothing from step to step.
    """

    progress: Progress
    ready: SpareKernel | None = None
    alert: Alert | None = None
    run: Run | None = None
    record: Path | None = None
    firing: list[str] = field(default_factory=list)
    differences: list[str] = field(default_factory=list)


_stages: list[DrillStage] = []


def prepare(stage: DrillStage) -> None:
    """Put the stage of the next drill in place."""
    _stages[:] = [stage]


def stage() -> DrillStage:
    """Return the stage of this drill; one of its own under ``chaos run``."""
    if not _stages:
        import sys

        from runbook_nb.runs.engine.progress import for_stream

        prepare(DrillStage(progress=for_stream(sys.stdout)))
    return _stages[0]


def alerts_firing() -> int:
    """Wait until the lab is quiet; return how many alerts still fire when time is up."""
    stage().firing = list(find_lab().wait_until_quiet())
    return len(stage().firing)


def runbook_agrees() -> bool:
    """Tell whether the runbook found what it must; true before it ran."""
    return not stage().differences


def inject(fault: str) -> str:
    """Inject a fault; returns when it is in effect."""
    with _failing_differs():
        found = _fault(fault)
        found.inject()
    return found.title


def heal(fault: str) -> str:
    """Take a fault back, whatever the runbook did."""
    found = _fault(fault)
    found.heal()
    return found.title


def wait_for_alert(runbook: str) -> str:
    """Wait for an alert and let it find the runbook; fails if it finds another or none."""
    delivery = find_lab(source=Runbook.find(runbook).source()).wait_for_alerts()
    if not delivery["alerts"]:
        raise _differs("No alert fired in time.")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "alert.json"
        path.write_text(json.dumps(delivery), encoding="utf-8")
        delivered = read_alerts(path)
    # A failure can set off alerts of its consequences too; one of them must find this runbook.
    found = {alert.name: _answering(alert) for alert in delivered}
    answered = [alert for alert in delivered if found[alert.name] == runbook]
    if not answered:
        raise _differs(f"The alerts found {_say(list(found.values()))}, not {runbook}.")
    stage().alert = answered[0]
    return answered[0].name


def run_runbook(
    runbook: str,
    parameters: Mapping[str, Json],
    approve: Sequence[str],
    expect: Mapping[str, Any],
) -> dict[str, Any]:
    """Run the runbook unattended, close the incident, and compare with what must be found.

    ``expect`` holds ``failed`` and ``unknown`` check titles, the ``option`` chosen or null, the
    ``done`` actions, and ``resolved``: whether every check passes at the end.
    """
    with _failing_differs():
        found = _found_by(runbook, parameters=parameters, approve=approve)
    here, wanted = stage(), {**expect, "complete": True}
    for name, value in wanted.items():
        if found[name] != value:
            here.differences.append(f"{name}: expected {_say(value)}, found {_say(found[name])}")
    if here.differences:
        raise ActivityFailed(f"{found['incident']}: {'; '.join(here.differences)}")
    return found


def _found_by(
    runbook: str, *, parameters: Mapping[str, Json], approve: Sequence[str]
) -> dict[str, Any]:
    """Run the runbook, close its incident and return what it found."""
    here = stage()
    incidents = incidents_folder(os.environ)
    order = Order(
        runbook=Runbook.find(runbook),
        incidents=incidents,
        actor=actor(),
        alert=here.alert,
        parameters=parameters,
        approve=approve,
    )
    here.run = run(order, progress=here.progress, ready=here.ready)
    here.record = close(incidents, here.run.incident, by=actor(), resolution=DRILL).page
    return {"incident": here.run.incident, **findings(here.run)}


def findings(found: Run) -> dict[str, Any]:
    """Return what a run found and did, in the words of an experiment's expectation."""
    seen = findings_of(found.timeline, run=found.context.run)
    return {**seen, "complete": found.execution.complete}


def findings_of(timeline: Sequence[Event], *, run: str) -> dict[str, Any]:
    """Return what the events of a run found and did, in the words of an expectation."""
    events = [event for event in timeline if event.run == run]
    checks = [check for check in queries.of(events, Checked) if check.purpose == "check"]
    decided = queries.decided(events)
    held = [each.verdict is Verdict.PASS for each in queries.of(events, Verified)]
    return {
        "failed": _titled(checks, Verdict.FAIL),
        "warned": _titled(checks, Verdict.WARN),
        "unknown": _titled(checks, Verdict.UNKNOWN),
        "option": decided.option if decided else None,
        "done": [acted.title for acted in queries.all_done(events)],
        "resolved": bool(held) and all(held),
    }


def _titled(checks: Sequence[Checked], verdict: Verdict) -> list[str]:
    return [title for title, check in queries.newest(checks).items() if check.verdict is verdict]


def _answering(alert: Alert) -> str:
    try:
        return Runbook.for_alert(alert).name
    except RunbookNotFoundError:
        return "no runbook"


@contextmanager
def _failing_differs() -> Iterator[None]:
    """Let a step that fails count against the runbook.

    Chaos Toolkit goes on after a failed action, and calls the experiment completed.
    """
    try:
        yield
    except Exception as error:
        stage().differences.append(f"{type(error).__name__}: {error}")
        raise


def _differs(difference: str) -> ActivityFailed:
    stage().differences.append(difference)
    return ActivityFailed(difference)


def _say(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return str(value)


def _fault(name: str) -> Fault:
    return find_fault(find_lab(fault=name), name)
