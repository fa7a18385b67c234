"""The stream of telemetry as a whole: how far it is behind the work, and what goes on unseen."""

from runbook_nb.packs.control_plane.systems.telemetry.probes import (
    ahead,
    behind,
    unseen,
    unseen_beats,
)

__all__ = ["ahead", "behind", "unseen", "unseen_beats"]
