"""A diagnosis alone: all checks of a runbook are read and its options ranked; nothing is done.

It runs in this process, with the same verbs as a notebook and without a kernel, so that a runbook
can be held against many faults in little time. Its incident is thrown away.
"""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from runbook_nb.authoring.drills.steps import findings_of
from runbook_nb.incident.context import actor
from runbook_nb.incident.plan import DIAGNOSIS
from runbook_nb.runbook.runbook import Runbook
from runbook_nb.runs.terminal import Session
from runbook_nb.testing import Wall


def diagnose(runbook: Runbook, *, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return the titles of the checks that failed, warned or are unknown, and the option.

    Raises what a run raises before its first step, such as a missing parameter.
    """
    with tempfile.TemporaryDirectory(prefix="runbook-diagnosis-") as folder:
        session = Session.begin(
            runbook,
            incidents=Path(folder).resolve(),
            incident=None,
            parameters=parameters,
            by=actor(),
            screen=Wall(),
            # Enter takes what the checks speak for.
            ask=lambda _question: "",
        )
        for step in runbook.steps:
            if step.verb == "check" and step.section in DIAGNOSIS:
                session.run(step)
        session.incident.decide()
        timeline = session.incident.timeline
        return findings_of(timeline, run=timeline[-1].run)
