"""Faults of the lab, each injected and healed from outside; found by their modules' ``FAULTS``."""

from runbook_nb.lab.faults.fault import Fault
from runbook_nb.lab.found import found_in

__all__ = ["FAULTS", "Fault"]

FAULTS: dict[str, Fault] = {fault.name: fault for fault in found_in(__name__, "FAULTS", Fault)}
