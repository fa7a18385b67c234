"""The claims that Supabase Auth writes into a token, as the policies need them or not.

Policies read ``tenant_id`` and ``roles`` at the top level of a token. The access-token hook, a
function of Supabase Auth's, puts them there; a reading role may call it, since it only reads.
Source of the hook's event: Supabase Auth, "Custom Access Token Hook".
"""

from runbook_nb.packs.control_plane.systems.claims.probes import (
    misshapen,
)

__all__ = ["misshapen"]
