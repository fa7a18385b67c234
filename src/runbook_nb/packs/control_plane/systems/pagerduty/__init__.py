"""PagerDuty: who was paged for an incident, through the REST API.

The incident's id is PagerDuty's ``incident_key``, so that one incident pages once. Source of the
fields: PagerDuty's REST API; a creating or changing call names an account's user in ``From``.
"""

from runbook_nb.packs.control_plane.systems.pagerduty.actions import (
    page,
    resolve,
)
from runbook_nb.packs.control_plane.systems.pagerduty.probes import (
    on_call,
    unpaged,
)

__all__ = ["on_call", "page", "resolve", "unpaged"]
