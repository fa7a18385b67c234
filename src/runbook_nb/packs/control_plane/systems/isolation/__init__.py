"""Whether tenants see each other: rows of others, asked for as a tenant and as nobody.

A role made for it becomes the caller for one transaction, with the claims of a token, and counts
rows of missions that are not the caller's. Content is never read.
"""

from runbook_nb.packs.control_plane.systems.isolation.probes import (
    anonymous_rows,
    foreign_rows,
)

__all__ = ["anonymous_rows", "foreign_rows"]
