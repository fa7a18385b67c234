"""Row level security of the public tables: the switch and the policies, as committed or not.

``policies.json`` holds what is committed: each policy with its expressions as PostgreSQL prints
them, the tables that must have the switch on, and those known to have it off. Changes are made as
the tables' owner, in one transaction that gives up when a lock takes longer than 3 s.
"""

from runbook_nb.packs.control_plane.systems.policies.actions import (
    protect_personas,
    restore,
    switch_on,
)
from runbook_nb.packs.control_plane.systems.policies.probes import (
    drift,
    switched_off,
)

__all__ = ["drift", "protect_personas", "restore", "switch_on", "switched_off"]
