"""Secrets and personal data where none should stand: in telemetry, evidence and feedback.

Found by the engine's own patterns. Only counts, kinds and places are told, never what a row says.
"""

from runbook_nb.packs.control_plane.systems.personal_data.actions import (
    redact,
)
from runbook_nb.packs.control_plane.systems.personal_data.probes import (
    in_events,
    in_evidence,
)

__all__ = ["in_events", "in_evidence", "redact"]
