"""Connections: the accounts at Composio against our rows, and what sets them right."""

from runbook_nb.packs.control_plane.systems.connections.checks import (
    cut_off,
    differing,
    duplicates,
    expired,
    revoked,
    row_updates,
    stuck,
)
from runbook_nb.packs.control_plane.systems.connections.consents import (
    record_consents,
    revoke_duplicates,
    send_links,
)
from runbook_nb.packs.control_plane.systems.connections.rows import repair_trigger, set_rows

__all__ = [
    "cut_off",
    "differing",
    "duplicates",
    "expired",
    "record_consents",
    "repair_trigger",
    "revoke_duplicates",
    "revoked",
    "row_updates",
    "send_links",
    "set_rows",
    "stuck",
]
