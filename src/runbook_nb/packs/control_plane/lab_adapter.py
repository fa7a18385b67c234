"""The lab of the control plane, as the engine starts, breaks and heals one.

Faults and alert rules are imported where they are asked for: a run only starts the lab.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from runbook_nb.errors import LabError
from runbook_nb.packs.control_plane.lab.lab import Lab, LabState
from runbook_nb.runbook.lab import Fault, LabPart, LabStatus
from runbook_nb.text.values import Json

if TYPE_CHECKING:
    from runbook_nb.packs.control_plane.lab.faults import Fault as LabFault

# Without these two processes nothing of the lab is left that a runbook could look at.
_BASE = ("postgres", "services")


class ControlPlaneLab:
    """The lab in this user's folder."""

    def __init__(self) -> None:
        self._lab = Lab()

    def up(self, *, progress: Callable[[str], None]) -> LabStatus:
        """Return the running lab, started on fresh rows if it was down or half dead."""
        return _status(self._lab.up(progress=progress))

    def down(self) -> None:
        """End every process of the lab and delete its rows and secrets; the logs stay."""
        self._lab.down()

    def status(self) -> LabStatus | None:
        """Look at every part now; None where no lab was started."""
        state = self._lab.status()
        return _status(state) if state else None

    def faults(self) -> Mapping[str, Fault]:
        """Return the faults by name."""
        from runbook_nb.packs.control_plane.lab.faults import FAULTS

        return {name: self._bound(fault) for name, fault in FAULTS.items()}

    def wait_for_alerts(self) -> Mapping[str, Json]:
        """Wait until a rule fires; return what fires as Alertmanager delivers it."""
        from runbook_nb.packs.control_plane.lab.monitoring import wait_for_alerts, webhook

        return webhook(wait_for_alerts(self._running()))

    def wait_until_quiet(self) -> Sequence[str]:
        """Wait until no rule fires and the agent has beaten for a while."""
        from runbook_nb.packs.control_plane.lab.monitoring import wait_until_quiet

        return wait_until_quiet(self._running())

    def _bound(self, fault: "LabFault") -> Fault:
        return Fault(
            name=fault.name,
            title=fault.title,
            inject=lambda: fault.inject(self._running()),
            heal=lambda: fault.heal(self._running()),
        )

    def _running(self) -> LabState:
        state = self._lab.status()
        if state is None:
            message = "The lab is not running. Start it with: runbook lab up"
            raise LabError(message)
        return state


def _status(state: LabState) -> LabStatus:
    parts = [
        LabPart(name=part.name, running=part.running, answers=part.answers) for part in state.parts
    ]
    running = {part.name for part in parts if part.running}
    return LabStatus(
        parts=parts,
        started=running.issuperset(_BASE),
        ports=state.ports,
        address=f"http://127.0.0.1:{state.ports['edge']}/",
    )
