"""The agent's heartbeats, as its rows in the database tell them.

Only beats with an agent's name count. The proxy writes beats of its own, which go on when the
agent is dead, and the browser's ``streaming_heartbeat_metrics`` clamp their p95 at 5 s: neither
can show a late agent. A window begins at a session's first beat or last recovery at the earliest,
so that beats from before a restart do not speak for the time after it.
"""

from runbook_nb.packs.control_plane.systems.heartbeats.probes import (
    gap,
    lag_decimals,
    lag_max,
    lag_p95,
    missed,
    state_growth,
)

__all__ = ["gap", "lag_decimals", "lag_max", "lag_p95", "missed", "state_growth"]
