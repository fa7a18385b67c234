"""The missions' calls to Composio, as our audit rows tell them: what fails, for whom, since when.

Only the newest calls of each tenant and toolkit count, so that neither yesterday's failures nor a
busy neighbour hides how it is now.
"""

from runbook_nb.packs.control_plane.systems.partner_calls.probes import (
    agent_addresses,
    failing_alone,
    failing_together,
    never_left,
)

__all__ = ["agent_addresses", "failing_alone", "failing_together", "never_left"]
