"""The queue: calls that wait in the missions' sessions, how fast they drain, and who crowds it."""

from runbook_nb.packs.control_plane.systems.waiting_calls.probes import (
    backlog,
    crowding,
    growth,
    time_until_normal,
)

__all__ = ["backlog", "crowding", "growth", "time_until_normal"]
