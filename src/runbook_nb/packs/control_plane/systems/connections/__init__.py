"""Connections: the accounts at Composio against our rows, and what sets them right."""

from runbook_nb.packs.control_plane.systems.connections.actions import (
    record_consents,
    repair_trigger,
    revoke_duplicates,
    send_links,
    set_rows,
)
from runbook_nb.packs.control_plane.systems.connections.probes import (
    cut_off,
    differing,
    disabled,
    duplicates,
    expired,
    revoked,
    row_updates,
    stuck,
)

__all__ = [
    "cut_off",
    "differing",
    "disabled",
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
