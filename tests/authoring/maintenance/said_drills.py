"""Drills that are not run: each says that it found what it must, or what it is told."""

from runbook_nb.authoring.drills import DrillResult
from runbook_nb.runbook.drill import Drill

NAME = "heartbeat_failure_recovery"


class SaidDrills:
    """Runs no drill: says that each found what it must, except for what it is told."""

    def __init__(self, **changes: object) -> None:
        self.changes, self.ran = changes, []
        self.before = lambda: None

    def __call__(self, drill: Drill) -> DrillResult:
        self.before()
        self.ran.append(drill.fault)
        found = {**drill.expectation, "complete": True}
        journal = {"node": "lab-host-7", "platform": "Linux", "status": "completed"}
        differs = drill.fault != "none" and self.changes
        return DrillResult(
            drill=drill,
            problem="run the runbook: it differs" if differs else "",
            took_s=1.5,
            found={**found, **self.changes} if differs else found,
            journal={**journal, "run": [{"exception": ["File /root/x.py", "Boom"]}]},
        )
