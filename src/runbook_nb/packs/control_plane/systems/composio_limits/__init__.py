"""The limits on our calls: Composio's own, a toolkit's, an account's, and what is left of them."""

from runbook_nb.packs.control_plane.systems.composio_limits.probes import (
    headroom,
    impatient,
    refused_by_composio,
    retries,
    throttled_accounts,
    throttled_toolkits,
)

__all__ = [
    "headroom",
    "impatient",
    "refused_by_composio",
    "retries",
    "throttled_accounts",
    "throttled_toolkits",
]
