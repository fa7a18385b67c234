"""The helper functions that policies call, as committed or not, and functions with owner's rights.

One changed helper changes every policy that calls it, and the policies still read as committed.
``helper_functions.json`` holds the definitions as PostgreSQL prints them.
"""

from runbook_nb.packs.control_plane.systems.helper_functions.actions import (
    restore,
)
from runbook_nb.packs.control_plane.systems.helper_functions.probes import (
    definers,
    drift,
)

__all__ = ["definers", "drift", "restore"]
