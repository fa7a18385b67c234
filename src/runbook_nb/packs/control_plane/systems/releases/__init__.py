"""The releases of the agent's machines at Fly, and their pair, the user interface at Vercel.

A release is named by the build itself: ``metadata.release`` of a machine's configuration, and
``meta.release`` of a deployment. UI and agent share event names and routes, so that only equal
releases belong together.
"""

from runbook_nb.packs.control_plane.systems.releases.actions import (
    align,
    roll_back,
)
from runbook_nb.packs.control_plane.systems.releases.probes import (
    in_flight,
    pairing,
    ways_back,
)

__all__ = ["align", "in_flight", "pairing", "roll_back", "ways_back"]
