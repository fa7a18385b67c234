"""Connect Links on their way: asked for, made, opened, refused, come back, recorded.

An attempt is the newest link of one mission for one toolkit, or its absence. Each attempt that did
not end has one cause, the first that there is proof of.
"""

from runbook_nb.packs.control_plane.systems.connect_links.actions import (
    record,
    restore_configs,
    send_anew,
)
from runbook_nb.packs.control_plane.systems.connect_links.probes import (
    approved_without_account,
    blocked_popups,
    callback,
    failure_rate,
    left_open,
    lost_callbacks,
    never_made,
    refused,
    state_mismatches,
    unrecordable,
    wrong_configs,
)

__all__ = [
    "approved_without_account",
    "blocked_popups",
    "callback",
    "failure_rate",
    "left_open",
    "lost_callbacks",
    "never_made",
    "record",
    "refused",
    "restore_configs",
    "send_anew",
    "state_mismatches",
    "unrecordable",
    "wrong_configs",
]
