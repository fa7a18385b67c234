"""The materialized views behind the dashboards: recounted from their source, and as committed."""

from runbook_nb.packs.control_plane.systems.metric_views.actions import (
    rebuild,
    refresh,
)
from runbook_nb.packs.control_plane.systems.metric_views.probes import (
    changed,
    recount,
)

__all__ = ["changed", "rebuild", "recount", "refresh"]
