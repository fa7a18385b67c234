"""What is read of the deployments."""

from runbook_nb.packs.control_plane.systems.vercel._deployments import (
    live_deployment,
    ready_deployments,
    shown,
)
from runbook_nb.probes.calls import Reading, Systems, probe


@probe(unit="deployments")
def ways_back(systems: Systems) -> Reading:
    """Count the production deployments, built and ready, that are older than the live one."""
    live = live_deployment(systems)
    earlier = [one for one in ready_deployments(systems) if one["created"] < live["created"]]
    return Reading(
        value=len(earlier), detail={"live": shown(live), "earlier": [shown(d) for d in earlier]}
    )
