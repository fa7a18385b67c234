"""Views that show more than the policies beneath them: which are open, and how to close them.

A view runs with its owner's rights unless it has ``security_invoker``, and a materialized view
cannot carry policies at all: both show every tenant's rows to whoever may select from them.
"""

from runbook_nb.packs.control_plane.systems.views.actions import (
    close,
    close_known,
)
from runbook_nb.packs.control_plane.systems.views.probes import (
    known_leaks,
    leaking,
)

__all__ = ["close", "close_known", "known_leaks", "leaking"]
