"""Our own rows about connections: their expiry, their scopes, and the calls that were refused.

A call counts only when it was made after the newest consent for its tenant and toolkit, so that
what failed before a new consent does not speak against it.
"""

from runbook_nb.packs.control_plane.systems.connection_rows.probes import (
    auth_errors,
    next_expiry,
    past_expiry,
    refused_in_a_row,
    scope_gap,
)

__all__ = ["auth_errors", "next_expiry", "past_expiry", "refused_in_a_row", "scope_gap"]
