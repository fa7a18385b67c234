"""What is read of gaps in telemetry."""

from collections import defaultdict
from datetime import timedelta
from typing import Any, Final

from runbook_nb.errors import NoAnswerError
from runbook_nb.packs.control_plane.systems.event_gaps._gaps import calls, gaps, untold
from runbook_nb.probes.calls import Reading, Systems, probe

# Of fewer calls a share says nothing.
SAMPLE: Final = 5


@probe(unit="%")
def unseen_calls(systems: Systems, *, window: timedelta) -> Reading:
    """Return the share of a tenant's successful tool calls that no event saw, for the worst tenant.

    The platform's other record of a call is Composio's audit. Raises NoAnswerError where no tenant
    made five calls in the window.
    """
    database = systems.database()
    found = calls(database, window)
    tenants = _by_tenant(found)
    if not tenants:
        message = f"No tenant made {SAMPLE} successful tool calls in the window."
        raise NoAnswerError(message)
    windows = [{"gap from": since, "to": until} for since, until in gaps(database, found)]
    fillable = [{"can be filled": len(untold(database, found))}] if windows else []
    return Reading(value=tenants[0]["unseen %"], detail=[*windows, *fillable, *tenants])


def _by_tenant(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    of = defaultdict(list)
    for call in found:
        of[call["tenant_id"]].append(call["unseen"])
    rows = [
        {
            "tenant": tenant,
            "calls": len(unseen),
            "unseen": sum(unseen),
            "unseen %": round(100 * sum(unseen) / len(unseen), 1),
        }
        for tenant, unseen in of.items()
        if len(unseen) >= SAMPLE
    ]
    return sorted(rows, key=lambda row: -row["unseen %"])
