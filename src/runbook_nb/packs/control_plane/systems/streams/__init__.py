"""The event streams that browsers watch: opens, disconnects, and what one stream delivers.

The heartbeat on the wire is made by the proxy, not by the agent. A stream that beats proves that
the way to the browser is clear, and nothing about the agent.
"""

from runbook_nb.packs.control_plane.systems.streams.actions import (
    stop_reconnects,
)
from runbook_nb.packs.control_plane.systems.streams.probes import (
    cut_off,
    delivered_beats,
    framing,
    opens_per_minute,
    stale,
    without_telemetry,
)

__all__ = [
    "cut_off",
    "delivered_beats",
    "framing",
    "opens_per_minute",
    "stale",
    "stop_reconnects",
    "without_telemetry",
]
