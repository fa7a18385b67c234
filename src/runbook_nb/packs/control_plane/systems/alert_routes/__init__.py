"""Alertmanager's inhibitions: pages that tell what another page tells already.

Settings: those of ``alert_rules``, and ``alerting`` ``routes``: the path of Alertmanager's
configuration, where this machine may write it.
"""

from runbook_nb.packs.control_plane.systems.alert_routes.actions import inhibit
from runbook_nb.packs.control_plane.systems.alert_routes.probes import duplicates

__all__ = ["duplicates", "inhibit"]
