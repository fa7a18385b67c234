"""PagerDuty: who was paged for an incident, through the REST API.

The incident's id is PagerDuty's ``incident_key``, so that one incident pages once. Source of the
fields: PagerDuty's REST API; a creating or changing call names an account's user in ``From``.
"""

from datetime import timedelta
from typing import Any, Final

from runbook_nb.packs.control_plane.impact import measure
from runbook_nb.probes.calls import Reading, Systems, action, probe
from runbook_nb.text.values import Json

PATIENCE_S: Final = 8.0
# SEV1 and SEV2 wake people: the platform wants them answered within 5 and 15 minutes.
HIGH: Final = frozenset({"SEV1", "SEV2"})

DECLARED: Final = """
select distinct context ->> 'bd_issue' as incident
from telemetry_events
where event_type = 'incident_opened'
  and mission_id is null
"""


@probe(unit="missing")
def unpaged(systems: Systems, *, incident: str, window: timedelta) -> Reading:
    """Return 1 while an incident has a severity and nobody was paged for it, else 0."""
    radius = measure(systems.database(), window=window)
    pages = _pages(systems, incident)
    missing = radius.severity != "none" and not pages
    detail = {"severity": radius.severity, "pages": pages}
    return Reading(value=int(missing), detail=detail, impact=radius.impact)


@probe(unit="people")
def on_call(systems: Systems) -> Reading:
    """Count the people who are on call now, with their level in the detail."""
    answer = systems.http("pagerduty").get("/oncalls", timeout_s=PATIENCE_S)
    found = answer.raise_for_status().json()["oncalls"]
    people = [
        {"level": one["escalation_level"], "who": one["user"]["summary"], "until": one["end"]}
        for one in found
    ]
    return Reading(value=len(people), detail=people)


@action(timeout_s=30, repeatable=True, tells="page")
def page(
    systems: Systems, *, incident: str, component: str, runbook: str, window: timedelta
) -> Json:
    """Open an incident at PagerDuty, urgent for SEV1 and SEV2; one that is open stays alone."""
    if pages := _pages(systems, incident):
        return {"paged before": pages[0]["id"]}
    body = _body(systems, incident, component, runbook, window)
    answer = _send(systems, "POST", "/incidents", body)
    return {"id": answer["incident"]["id"], "title": answer["incident"]["title"]}


@page.rehearsal
def _(systems: Systems, *, incident: str, component: str, runbook: str, window: timedelta) -> Json:
    if pages := _pages(systems, incident):
        return {"paged before": pages[0]["id"]}
    wanted = _body(systems, incident, component, runbook, window)["incident"]
    return {"would open": wanted["title"], "urgency": wanted["urgency"]}


@page.undo
def _(
    systems: Systems,
    result: Json,
    *,
    incident: str,  # noqa: ARG001
    component: str,  # noqa: ARG001
    runbook: str,  # noqa: ARG001
    window: timedelta,  # noqa: ARG001
) -> Json:
    if "id" not in result:
        return {"left": result}
    note = {"note": {"content": "Declared by mistake; taken back."}}
    _send(systems, "POST", f"/incidents/{result['id']}/notes", note)
    return {"resolved": _set(systems, result["id"], "resolved")}


@action(timeout_s=30, repeatable=True, irreversible=True, tells="page")
def resolve(systems: Systems) -> Json:
    """Resolve the pages of declared incidents; PagerDuty cannot reopen one that is resolved."""
    return {"resolved": [_set(systems, page["id"], "resolved") for page in _declared(systems)]}


@resolve.rehearsal
def _(systems: Systems) -> Json:
    return {"would resolve": [page["title"] for page in _declared(systems)]}


def _body(
    systems: Systems, incident: str, component: str, runbook: str, window: timedelta
) -> dict[str, Any]:
    radius = measure(systems.database(), window=window)
    level = "SEV3" if radius.severity == "none" else radius.severity
    details = f"{radius.said}. Continue with: runbook run {runbook} --incident {incident}"
    return {
        "incident": {
            "type": "incident",
            "title": f"{level}: {component} ({incident})",
            "service": {
                "id": systems.setting("pagerduty", "service"),
                "type": "service_reference",
            },
            "urgency": "high" if level in HIGH else "low",
            "incident_key": incident,
            "body": {"type": "incident_body", "details": details},
        }
    }


def _pages(systems: Systems, incident: str | None = None) -> list[dict[str, Any]]:
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


def _declared(systems: Systems) -> list[dict[str, Any]]:
    """Return the open pages of incidents that the platform's rows know."""
    known = {row["incident"] for row in systems.database().rows(DECLARED)}
    return [page for page in _pages(systems) if page["incident_key"] in known]


def _set(systems: Systems, page: str, status: str) -> str:
    body = {"incident": {"type": "incident_reference", "status": status}}
    answer = _send(systems, "PUT", f"/incidents/{page}", body)
    return f"{answer['incident']['title']}: {answer['incident']['status']}"


def _send(systems: Systems, method: str, path: str, body: object) -> dict[str, Any]:
    answer = systems.http("pagerduty").request(
        method,
        path,
        json=body,
        headers={"From": systems.setting("pagerduty", "from")},
        timeout_s=PATIENCE_S,
    )
    found: dict[str, Any] = answer.raise_for_status().json()
    return found
