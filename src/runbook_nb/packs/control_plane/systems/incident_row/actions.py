"""How an incident is declared and resolved for the platform."""

import json
import uuid
from datetime import timedelta
from typing import Any, Final

from runbook_nb.errors import ActionError
from runbook_nb.packs.control_plane.impact import measure
from runbook_nb.packs.control_plane.systems.incident_row._open_rows import (
    OPEN,
)
from runbook_nb.probes.calls import Systems, action
from runbook_nb.text.values import Json

# The service role passes every policy; asking for the claim keeps to what the policy says.
CLAIM: Final = """
select set_config('request.jwt.claims', '{"roles": ["service"]}', true)
"""
WRITE: Final = """
insert into telemetry_events (id, event_type, status, context, correlation_id)
select %(id)s, %(event_type)s, %(status)s::telemetry_level, %(context)s::jsonb, %(incident)s
where has_role('service')
on conflict (id) do nothing
returning id, event_type, context, created_at
"""
WRITTEN: Final = """
select count(*) from telemetry_events
where event_type = %(event_type)s
  and context ->> 'bd_issue' = %(incident)s
"""


@action(timeout_s=30, repeatable=True, tells="incident row", contained=True)
def opened(systems: Systems, *, incident: str, component: str, window: timedelta) -> Json:
    """Write incident_opened with the measured severity; an incident is written once."""
    with systems.database().transaction():
        return _open(systems, incident, component, window)


@opened.rehearsal
def _(systems: Systems, *, incident: str, component: str, window: timedelta) -> Json:
    with systems.database().transaction(rollback=True):
        return _open(systems, incident, component, window)


@opened.undo
def _(
    systems: Systems,
    result: Json,
    *,
    incident: str,
    component: str,  # noqa: ARG001
    window: timedelta,  # noqa: ARG001
) -> Json:
    if not result["written"]:
        return {"left": result}
    with systems.database().transaction():
        return _resolve(systems, incident=incident, cause="declared by mistake")


@action(timeout_s=30, repeatable=True, irreversible=True, tells="incident row", contained=True)
def resolved(systems: Systems, *, cause: str) -> Json:
    """Write incident_resolved for every incident that is open; no policy lets it be deleted."""
    with systems.database().transaction():
        return _resolve(systems, incident=None, cause=cause)


@resolved.rehearsal
def _(systems: Systems, *, cause: str) -> Json:
    with systems.database().transaction(rollback=True):
        return _resolve(systems, incident=None, cause=cause)


def _open(systems: Systems, incident: str, component: str, window: timedelta) -> dict[str, Any]:
    radius = measure(systems.database(), window=window)
    context = {
        "severity": "SEV3" if radius.severity == "none" else radius.severity,
        "component": component,
        "initiator": "runbook",
        # Everybody can read the row, so it counts missions and names none.
        "mission_ids": [],
        "missions_affected": radius.affected,
        "bd_issue": incident,
    }
    if any(row["incident"] == incident for row in systems.database().rows(OPEN)):
        return {"written": []}
    return {"written": _write(systems, "incident_opened", "warning", context)}


def _resolve(systems: Systems, *, incident: str | None, cause: str) -> dict[str, Any]:
    wanted = [row for row in systems.database().rows(OPEN) if incident in (None, row["incident"])]
    return {"written": [row for one in wanted for row in _close(systems, one, cause)]}


def _close(systems: Systems, row: dict[str, Any], cause: str) -> list[dict[str, Any]]:
    context = {
        "component": row["component"],
        "resolution_time_minutes": float(row["open_min"]),
        "root_cause": cause,
        "follow_up_actions": [],
        "bd_issue": row["incident"],
    }
    return _write(systems, "incident_resolved", "success", context)


def _write(
    systems: Systems, event_type: str, status: str, context: dict[str, Any]
) -> list[dict[str, Any]]:
    """Write one row; its id follows from the incident, so that two runs at once write it once."""
    database, incident = systems.database(), context["bd_issue"]
    database.rows(CLAIM)
    before = database.value(WRITTEN, event_type=event_type, incident=incident)
    rows = database.rows(
        WRITE,
        id=uuid.uuid5(uuid.NAMESPACE_URL, f"{event_type}/{incident}/{before}"),
        event_type=event_type,
        status=status,
        context=json.dumps(context),
        incident=incident,
    )
    if not rows and not database.value("select has_role('service')"):
        message = "The claim role service was not granted, so the row was not written."
        raise ActionError(message)
    return rows
