"""Events that are filed under another tenant than their mission's: they show in its figures."""

from runbook_nb.packs.control_plane.systems.event_tenants.actions import (
    set_right,
)
from runbook_nb.packs.control_plane.systems.event_tenants.probes import (
    foreign,
)

__all__ = ["foreign", "set_right"]
