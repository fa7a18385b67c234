"""Alert rules of the lab's monitoring, one module a subject, found by their ``RULES``."""

from runbook_nb.packs.control_plane.lab.discovery import found_in
from runbook_nb.packs.control_plane.lab.rules.rule import AlertRule

__all__ = ["RULES", "AlertRule"]

RULES: tuple[AlertRule, ...] = tuple(found_in(__name__, "RULES", AlertRule))
