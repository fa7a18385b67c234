"""Our key at Composio: whether it is taken, how old it is, and how it is rotated.

Two keys of a project are valid at once, so a rotation has no gap: the second key is proven and
handed to the agent before the first one goes. A person makes the second key in the dashboard and
puts it into the file ``<the key's file>.next``. The API's own ``regenerate_api_key`` is no way to
do it, since it ends every key of the project at once.
"""

from runbook_nb.packs.control_plane.systems.composio_keys.actions import (
    revoke_previous,
    switch,
)
from runbook_nb.packs.control_plane.systems.composio_keys.probes import (
    accepted,
    age,
)

__all__ = ["accepted", "age", "revoke_previous", "switch"]
