"""What is published of incidents, and which severities concern customers."""

from typing import Any, Final

from runbook_nb.packs.control_plane.impact import BlastRadius
from runbook_nb.probes.calls import Systems

PATIENCE_S: Final = 8.0
# The platform's rule: customers are told of SEV1 and SEV2. Of a leak or of lost rows they are told
# by people who know whose they are, not by a page that says "slow".
PUBLIC: Final = frozenset({"SEV1", "SEV2"})


def concerns_customers(radius: BlastRadius) -> bool:
    """Tell whether customers feel it, and must be told."""
    return radius.severity in PUBLIC and radius.affected > 0


def unresolved(systems: Systems) -> list[dict[str, Any]]:
    """Return the incidents that the page shows as not resolved."""
    page = systems.setting("statuspage", "page")
    path = f"/v1/pages/{page}/incidents/unresolved"
    answer = systems.http("statuspage").get(path, timeout_s=PATIENCE_S)
    return [
        {name: one[name] for name in ("id", "name", "status")}
        for one in answer.raise_for_status().json()
    ]
