"""Evidence that was opened or exported before anybody reviewed it, and how it is withheld.

Its object moves to the bucket that the setting ``withheld_bucket`` of ``supabase_storage`` names:
links that are out end there. The row says where it came from.
"""

from runbook_nb.packs.control_plane.systems.evidence_access.actions import (
    withhold,
)
from runbook_nb.packs.control_plane.systems.evidence_access.probes import (
    unreviewed,
)

__all__ = ["unreviewed", "withhold"]
