"""How old the platform's keys and secrets are, as those who issued them say."""

from runbook_nb.packs.control_plane.systems.credentials.probes import (
    oldest,
)

__all__ = ["oldest"]
