"""What row level security costs: the queries of a page load, timed as a tenant runs them."""

from runbook_nb.packs.control_plane.systems.policy_cost.probes import (
    cost,
)

__all__ = ["cost"]
