"""Faults of the lab, each injected and healed from outside; found by their modules' ``FAULTS``."""

from runbook_nb.errors import LabError, near
from runbook_nb.packs.control_plane.lab.discovery import found_in
from runbook_nb.packs.control_plane.lab.faults.fault import Fault

__all__ = ["FAULTS", "Fault", "named"]

FAULTS: dict[str, Fault] = {fault.name: fault for fault in found_in(__name__, "FAULTS", Fault)}


def named(name: str) -> Fault:
    """Return the fault of that name; raises LabError with near names."""
    if name not in FAULTS:
        raise LabError(f"No fault {name!r}. {near(name, FAULTS)}")
    return FAULTS[name]
