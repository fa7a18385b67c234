"""Who may change a row: tried as each caller, and rolled back each time.

A trial changes nothing: it writes one row of one tenant back as it is, inside a savepoint that is
rolled back at once. It needs a connection that may write, so it is an action and not a probe.
"""

from runbook_nb.packs.control_plane.systems.write_probe.actions import (
    writes,
)

__all__ = ["writes"]
