"""The pages of one incident, as PagerDuty lists them."""

from typing import Any, Final

from runbook_nb.probes.calls import Systems
from runbook_nb.probes.sight import Page, every_page

PATIENCE_S: Final = 8.0


def pages_of(systems: Systems, incident: str | None = None) -> list[dict[str, Any]]:
    """Return the service's open incidents, of one key only if it is named."""
    query = {"service_ids[]": systems.setting("pagerduty", "service"), "limit": "100"}
    if incident:
        query["incident_key"] = incident

    def fetch(after: str | None) -> Page:
        asked = {**query, "offset": after or "0"}
        answer = systems.http("pagerduty").get("/incidents", params=asked, timeout_s=PATIENCE_S)
        body = answer.raise_for_status().json()
        begins = int(after or 0) + len(body["incidents"])
        return Page(items=body["incidents"], after=str(begins) if body.get("more") else None)

    return [
        {name: one[name] for name in ("id", "title", "status", "urgency", "incident_key")}
        for one in every_page(fetch, what="open pages")
        if one["status"] != "resolved"
    ]
