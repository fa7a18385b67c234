"""How somebody is paged, and the page resolved."""

from datetime import timedelta
from typing import Any, Final

from runbook_nb.packs.control_plane.impact import measure
from runbook_nb.packs.control_plane.systems.pagerduty._pages import (
    PATIENCE_S,
    pages_of,
)
from runbook_nb.probes.calls import Systems, action
from runbook_nb.text.values import Json

# SEV1 and SEV2 wake people: the platform wants them answered within 5 and 15 minutes.
HIGH: Final = frozenset({"SEV1", "SEV2"})
DECLARED: Final = """
select distinct context ->> 'bd_issue' as incident
from telemetry_events
where event_type = 'incident_opened'
  and mission_id is null
"""


@action(timeout_s=30, repeatable=True, tells="page", contained=True)
def page(
    systems: Systems, *, incident: str, component: str, runbook: str, window: timedelta
) -> Json:
    """Open an incident at PagerDuty, urgent for SEV1 and SEV2; one that is open stays alone."""
    if pages := pages_of(systems, incident):
        return {"paged before": pages[0]["id"]}
    body = _body(systems, incident, component, runbook, window)
    answer = _send(systems, "POST", "/incidents", body)
    return {"id": answer["incident"]["id"], "title": answer["incident"]["title"]}


@page.rehearsal
def _(systems: Systems, *, incident: str, component: str, runbook: str, window: timedelta) -> Json:
    if pages := pages_of(systems, incident):
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


@action(timeout_s=30, repeatable=True, irreversible=True, tells="page", contained=True)
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


def _declared(systems: Systems) -> list[dict[str, Any]]:
    """Return the open pages of incidents that the platform's rows know."""
    known = {row["incident"] for row in systems.database().rows(DECLARED)}
    return [page for page in pages_of(systems) if page["incident_key"] in known]


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
