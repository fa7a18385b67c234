"""The dashboards as their viewers get them: how old, how much of it, and whether it is usual."""

from runbook_nb.packs.control_plane.systems.dashboards.actions import (
    release_job,
    restore_views,
)
from runbook_nb.packs.control_plane.systems.dashboards.probes import (
    altered,
    refresh_age,
    refresh_job,
    unusual,
)

__all__ = [
    "altered",
    "refresh_age",
    "refresh_job",
    "release_job",
    "restore_views",
    "unusual",
]
