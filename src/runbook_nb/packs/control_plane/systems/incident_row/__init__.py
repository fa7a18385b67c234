"""Declared incidents: the platform's rows incident_opened and incident_resolved.

They belong to no mission, so everybody can read them, without a login too. They hold figures and
ids of incidents and nothing else. The policies let the service claim alone insert them, and let
nobody delete them: a row that was wrong is answered with another one.
"""

from runbook_nb.packs.control_plane.systems.incident_row.actions import (
    opened,
    resolved,
)
from runbook_nb.packs.control_plane.systems.incident_row.probes import (
    duplicates,
    left_open,
    past_escalation,
    undeclared,
)

__all__ = ["duplicates", "left_open", "opened", "past_escalation", "resolved", "undeclared"]
