"""Tool calls of the missions and the connections behind them, as the audit rows tell them."""

from runbook_nb.packs.control_plane.systems.toolcalls.probes import (
    auth_failures,
    expired_connections,
    rate_limited,
    slowest_toolkit,
    worst_toolkit,
)

__all__ = [
    "auth_failures",
    "expired_connections",
    "rate_limited",
    "slowest_toolkit",
    "worst_toolkit",
]
