"""The pack of the AI Employee Control Plane: its systems, its impact figures and its lab."""

from collections.abc import Mapping, Sequence

from runbook_nb.errors import LabError
from runbook_nb.probes.baseline import Part
from runbook_nb.probes.calls import Action
from runbook_nb.runbook.lab import Lab
from runbook_nb.runbook.packs import Pack


def _lab() -> Lab:
    try:
        from runbook_nb.packs.control_plane.lab_adapter import ControlPlaneLab
    except ModuleNotFoundError as error:
        message = f"The lab needs {error.name}. Install it: pip install 'runbook-nb[lab]'"
        raise LabError(message) from error
    return ControlPlaneLab()


def _alerts() -> Mapping[str, str]:
    from runbook_nb.packs.control_plane.lab.rules import RULES

    return {rule.name: rule.summary for rule in RULES}


def _announce(incident: str, text: str) -> Action:
    from runbook_nb.packs.control_plane.systems import slack

    return slack.closed(incident=incident, text=text)


def _baseline() -> Sequence[Part]:
    from runbook_nb.packs.control_plane.baseline import PARTS

    return PARTS


PACK = Pack(
    name="control_plane",
    about="The AI Employee Control Plane, with a lab that a pip install starts.",
    systems=("runbook_nb.packs.control_plane.systems",),
    lab=_lab,
    alerts=_alerts,
    announce=_announce,
    baseline=_baseline,
    # The plainest failure, and the trap of the proxy that beats on.
    first_drill="heartbeat_failure_recovery.agent_dead",
)
