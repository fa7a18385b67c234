"""The pages of one incident, as PagerDuty lists them."""

from typing import Any, Final

from runbook_nb.probes.calls import Systems

PATIENCE_S: Final = 8.0


def pages_of(systems: Systems, incident: str | None = None) -> list[dict[str, Any]]:
    """Return the service's open incidents, of one key only if it is named."""
    query = {"service_ids[]": systems.setting("pagerduty", "service"), "limit": "100"}
    if incident:
        query["incident_key"] = incident
    answer = systems.http("pagerduty").get("/incidents", params=query, timeout_s=PATIENCE_S)
    return [
        {name: one[name] for name in ("id", "title", "status", "urgency", "incident_key")}
        for one in answer.raise_for_status().json()["incidents"]
        if one["status"] != "resolved"
    ]
