"""Slack: what #incidents was told about an incident, through the Web API.

A post carries its incident in the message's metadata, so that it is found again and never sent
twice. Slack answers HTTP 200 to a refused call and says ``ok: false``.
"""

from runbook_nb.packs.control_plane.systems.slack.actions import (
    announce,
    closed,
    resolved,
)
from runbook_nb.packs.control_plane.systems.slack.probes import (
    untold,
    updates_overdue,
)

__all__ = ["announce", "closed", "resolved", "untold", "updates_overdue"]
