"""The stand-ins of partners, one module each, found by their ``STAND_IN``."""

from runbook_nb.packs.control_plane.lab.discovery import found_in
from runbook_nb.packs.control_plane.lab.emulators.emulator import Access, StandIn

__all__ = ["STAND_INS", "Access", "StandIn"]

STAND_INS: dict[str, StandIn] = {
    stand_in.name: stand_in for stand_in in found_in(__name__, "STAND_IN", StandIn)
}
