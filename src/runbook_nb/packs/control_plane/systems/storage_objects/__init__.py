"""The objects in Supabase Storage that the database's artifacts point to.

A database restore does not bring them back: backups hold the rows about objects, never the objects.
A path in the database begins with the bucket: ``evidence/<mission>/<artifact>.json``. The setting
``versions_bucket`` names the bucket that keeps a copy of each object under its whole path.
"""

from runbook_nb.packs.control_plane.systems.storage_objects.actions import (
    put_back,
)
from runbook_nb.packs.control_plane.systems.storage_objects.probes import (
    altered,
    missing,
)

__all__ = ["altered", "missing", "put_back"]
