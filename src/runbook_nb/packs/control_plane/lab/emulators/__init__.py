"""The emulators of partners, one module each, found by their ``EMULATOR``."""

from runbook_nb.packs.control_plane.lab.discovery import found_in
from runbook_nb.packs.control_plane.lab.emulators.emulator import Access, Emulator

__all__ = ["EMULATORS", "Access", "Emulator"]

EMULATORS: dict[str, Emulator] = {
    emulator.name: emulator for emulator in found_in(__name__, "EMULATOR", Emulator)
}
