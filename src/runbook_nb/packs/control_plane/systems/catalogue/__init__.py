"""The database's catalogue against what a build of the agent was made for.

``builds/`` holds one list a commit: the columns, enum labels, unique keys and functions that its
code names. A list that is ``complete`` is the whole schema of that commit, so that what stands in
the database beyond it is new since then.
"""

from runbook_nb.packs.control_plane.systems.catalogue.actions import (
    export_newer_rows,
)
from runbook_nb.packs.control_plane.systems.catalogue.probes import (
    missing,
    newer_rows,
)

__all__ = ["export_newer_rows", "missing", "newer_rows"]
