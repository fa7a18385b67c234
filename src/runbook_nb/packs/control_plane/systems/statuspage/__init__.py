"""Statuspage: what customers are told, through the management API.

Statuspage keeps no drafts: an incident is on the page as soon as it is made. A quiet one mails
nobody, and its text says nothing but that the team looks into it.
"""

from runbook_nb.packs.control_plane.systems.statuspage.actions import (
    publish_quietly,
    resolve,
)
from runbook_nb.packs.control_plane.systems.statuspage.probes import (
    unpublished,
)

__all__ = ["publish_quietly", "resolve", "unpublished"]
