"""Faults of the lab, each injected and healed from outside; found by their modules' ``FAULTS``."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from runbook_nb.errors import LabError, near
from runbook_nb.packs.control_plane.lab.discovery import found_in
from runbook_nb.packs.control_plane.lab.faults.fault import Fault
from runbook_nb.packs.control_plane.lab.faults.outside import superuser
from runbook_nb.packs.control_plane.lab.state import LabState

_RELEASE_JOBS: Final = "UPDATE cron.job SET active = true WHERE NOT active"

__all__ = ["FAULTS", "Fault", "by_name", "named"]


def by_name(faults: Sequence[Fault]) -> dict[str, Fault]:
    """Return faults by name; raises LabError where two have one, as a drill could mean either."""
    twice = [name for name, times in Counter(fault.name for fault in faults).items() if times > 1]
    if twice:
        raise LabError(f"Two faults are named {', '.join(twice)}. Give each a name of its own.")
    return {fault.name: fault for fault in faults}


def _wholly_healed(fault: Fault) -> Fault:
    """Let the jobs run again as well that a runbook has held: whichever fault it was run for."""

    def heal(lab: LabState) -> None:
        fault.heal(lab)
        with superuser(lab) as connection:
            connection.execute(_RELEASE_JOBS)

    return replace(fault, heal=heal)


FAULTS = by_name([_wholly_healed(fault) for fault in found_in(__name__, "FAULTS", Fault)])


def named(name: str) -> Fault:
    """Return the fault of that name; raises LabError with near names."""
    if name not in FAULTS:
        raise LabError(f"No fault {name!r}. {near(name, FAULTS)}")
    return FAULTS[name]
