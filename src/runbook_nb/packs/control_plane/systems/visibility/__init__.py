"""The visibility matrix: how many rows of each table and view each caller reads, and should.

A caller is measured, not computed: the reading role becomes it for one transaction, with the
claims of its token, and counts. What it should count comes from ``visibility.json``, which says in
words what the platform's policies promise; the reading role, whom no policy stops, counts those
rows by their owner. All counts are of one snapshot, so that rows written meanwhile disturb none.
"""

from runbook_nb.packs.control_plane.systems.visibility.probes import (
    matrix,
)

__all__ = ["matrix"]
