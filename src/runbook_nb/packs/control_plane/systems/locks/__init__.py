"""Locks in the database: who waits for one, and who holds it."""

from runbook_nb.packs.control_plane.systems.locks.probes import (
    waiting,
)

__all__ = ["waiting"]
