"""Grants on the public schema, and who bypasses row level security, as committed or not.

``grants.json`` holds what is committed: which callers may do what with which tables, views and
helper functions. A grant that is missing refuses a caller before any policy is asked.
"""

from runbook_nb.packs.control_plane.systems.grants.actions import (
    restore,
)
from runbook_nb.packs.control_plane.systems.grants.probes import (
    bypassing,
    drift,
)

__all__ = ["bypassing", "drift", "restore"]
