"""What a deploy did to the platform: errors and latency before and after it, from telemetry.

The deploy is that of the newest release that is live, at Vercel or at Fly. Once both are back on
an earlier one there is no recent deploy any more. Heartbeats are left out: they never fail, and
there are so many that they would hide the events that do.
"""

from runbook_nb.packs.control_plane.systems.deploys.probes import (
    mission_success,
    since_deploy,
)

__all__ = ["mission_success", "since_deploy"]
