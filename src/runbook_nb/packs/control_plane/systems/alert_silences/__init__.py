"""Silences of Alertmanager: those that hide alerts for longer than any planned work lasts.

Settings: ``prometheus`` and ``alertmanager``, each with its ``url``.
"""

from runbook_nb.packs.control_plane.systems.alert_silences.actions import end
from runbook_nb.packs.control_plane.systems.alert_silences.probes import lasting

__all__ = ["end", "lasting"]
