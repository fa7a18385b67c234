"""Rows that the faults of the general protocol leave: failed calls, errors, an open incident."""

from datetime import timedelta
from typing import Any

import httpx

from runbook_nb.errors import LabError
from runbook_nb.packs.control_plane.lab.emulators.pagerduty import FROM
from runbook_nb.packs.control_plane.lab.emulators.pagerduty_history import SERVICE
from runbook_nb.packs.control_plane.lab.faults.outside import Connection, lasting_id, superuser
from runbook_nb.packs.control_plane.lab.faults.response_told import forget_what_was_told
from runbook_nb.packs.control_plane.lab.inspection import NO_CERTIFICATES
from runbook_nb.packs.control_plane.lab.state import LabState
from runbook_nb.timeline.store.embedded.files import read_secret

_HITS = 120
_AFFECTED = 3
_REFUSALS = 4
_ERRORS = 240
_LEFT_OPEN = "INC-1998"
# Older than the checks look back, younger than the rules do.
_BURST_AGO = timedelta(minutes=8)

_CORRELATION = "response-fault"
_CONNECTION = lasting_id("connection of the expired login")
_OPENED = lasting_id("incident that was left open")

_LIVE = """
SELECT mission.id, mission.tenant_id
  FROM missions AS mission
  JOIN mission_sessions AS session ON session.mission_id = mission.id
 WHERE session.state ? 'runner' AND mission.status = 'in_progress'
 ORDER BY mission.id
 LIMIT %(missions)s
"""
_ENDED = """
SELECT id, tenant_id FROM missions WHERE status = 'completed'
 ORDER BY completed_at DESC, id LIMIT %(missions)s
"""
_FAILED_CALLS = """
INSERT INTO composio_audit_events
       (mission_id, tenant_id, toolkit, action, status, outcome, latency_ms, error_code, retries,
        occurred_at)
SELECT (%(missions)s::uuid[])[1 + call %% cardinality(%(missions)s::uuid[])],
       (%(tenants)s::uuid[])[1 + call %% cardinality(%(missions)s::uuid[])],
       %(toolkit)s, %(action)s, %(word)s,
       jsonb_build_object('successful', false, 'log_id', %(mark)s::text), 210, %(code)s, 2,
       now() - call * %(spread)s::interval
  FROM generate_series(0, %(calls)s - 1) AS call
"""
_FORGET_CALLS = "DELETE FROM composio_audit_events WHERE outcome ->> 'log_id' = %(mark)s"
_EXPIRED = """
INSERT INTO mission_connections
       (id, mission_id, toolkit_slug, connect_link_id, requested_scopes, granted_scopes, status,
        requested_at, approved_at, expires_at)
VALUES (%(id)s, %(mission)s, 'hubspot', 'cl_response', '["crm.objects.contacts.read"]',
        '["crm.objects.contacts.read"]', 'approved', now() - interval '90 days',
        now() - interval '90 days', now() - interval '10 minutes')
ON CONFLICT (id) DO NOTHING
"""
_ERROR_ROWS = """
INSERT INTO telemetry_events
       (mission_id, tenant_id, agent_name, stage, event_type, status, context, correlation_id,
        created_at)
SELECT (%(missions)s::uuid[])[1 + event %% cardinality(%(missions)s::uuid[])],
       (%(tenants)s::uuid[])[1 + event %% cardinality(%(missions)s::uuid[])],
       'executor', 'Execute', 'validator_alert_raised', 'error',
       '{"severity": "high", "auto_fix_attempted": true, "auto_fix_status": "failed"}',
       %(mark)s, now() - %(ago)s::interval - event * interval '0.2 s'
  FROM generate_series(0, %(events)s - 1) AS event
"""
_FORGET_EVENTS = "DELETE FROM telemetry_events WHERE correlation_id = %(mark)s"
_OPEN_INCIDENT = """
INSERT INTO telemetry_events (id, event_type, status, context, correlation_id, created_at)
VALUES (%(id)s, 'incident_opened', 'warning',
        jsonb_build_object('severity', 'SEV2', 'component', 'agent', 'initiator', 'on-call',
                           'mission_ids', '[]'::jsonb, 'bd_issue', %(incident)s::text),
        %(mark)s, now() - interval '2 hours')
ON CONFLICT (id) DO NOTHING
"""


def leave_failures(lab: LabState, *, toolkit: str, word: str, code: str, calls: int) -> None:
    """Have so many calls of three live missions to a toolkit fail, one every 2 s until now."""
    with superuser(lab) as connection:
        missions, tenants = _live(connection, _AFFECTED)
        _fail_calls(connection, missions, tenants, (toolkit, word, code), calls)


def leave_errors(lab: LabState, *, ago: timedelta, of: str = _LIVE) -> None:
    """Leave 240 errors of three missions, live ones by default, the newest so long ago."""
    with superuser(lab) as connection:
        missions, tenants = _three(connection, of)
        rows = {"missions": missions, "tenants": tenants, "events": _ERRORS}
        connection.execute(_ERROR_ROWS, {**rows, "ago": ago, "mark": _CORRELATION})


def storm_limits(lab: LabState) -> None:
    """Have 120 calls of three live missions answered with a rate limit within four minutes."""
    leave_failures(lab, toolkit="zendesk", word="rate_limit", code="RATE_LIMIT", calls=_HITS)


def expire_login(lab: LabState) -> None:
    """Have a live mission's login run out: four calls in a row are refused."""
    with superuser(lab) as connection:
        missions, tenants = _live(connection, 1)
        connection.execute(_EXPIRED, {"id": _CONNECTION, "mission": missions[0]})
        words = ("hubspot", "auth_expired", "AUTH_EXPIRED")
        _fail_calls(connection, missions, tenants, words, _REFUSALS)


def heal_calls(lab: LabState) -> None:
    """Forget the failed calls and the expired login."""
    with superuser(lab) as connection:
        connection.execute(_FORGET_CALLS, {"mark": _CORRELATION})
        connection.execute("DELETE FROM mission_connections WHERE id = %(id)s", {"id": _CONNECTION})
    forget_what_was_told(lab)


def burst_and_end(lab: LabState) -> None:
    """Leave the errors of a burst that was over before anybody looked."""
    leave_errors(lab, ago=_BURST_AGO)


def leave_errors_of_ended(lab: LabState) -> None:
    """Leave errors that go on and belong to missions which ended: nobody at work is affected."""
    leave_errors(lab, ago=timedelta(0), of=_ENDED)


def leave_incident_open(lab: LabState) -> None:
    """Leave an incident declared and paged that is over for two hours."""
    with superuser(lab) as connection:
        names = {"id": _OPENED, "incident": _LEFT_OPEN, "mark": _CORRELATION}
        connection.execute(_OPEN_INCIDENT, names)
    _page(lab)


def heal_events(lab: LabState) -> None:
    """Forget the errors and the incident."""
    with superuser(lab) as connection:
        connection.execute(_FORGET_EVENTS, {"mark": _CORRELATION})
    forget_what_was_told(lab)


def _page(lab: LabState) -> None:
    body = {
        "type": "incident",
        "title": f"SEV2: agent ({_LEFT_OPEN})",
        "service": {"id": SERVICE, "type": "service_reference"},
        "incident_key": _LEFT_OPEN,
    }
    answer = httpx.post(
        f"http://127.0.0.1:{lab.ports['pagerduty']}/incidents",
        headers={
            "authorization": f"Token token={read_secret(lab.folder, 'pagerduty.token')}",
            "from": FROM,
        },
        json={"incident": body},
        trust_env=False,
        verify=NO_CERTIFICATES,
    )
    if answer.is_error and "already exists" not in answer.text:
        raise LabError(f"PagerDuty did not take the incident: {answer.text[:200]}")


def _fail_calls(
    connection: Connection,
    missions: list[Any],
    tenants: list[Any],
    words: tuple[str, str, str],
    calls: int,
) -> None:
    toolkit, word, code = words
    about = {"toolkit": toolkit, "action": f"{toolkit.upper()}_CALL", "word": word, "code": code}
    rows = {"missions": missions, "tenants": tenants, "calls": calls, "mark": _CORRELATION}
    connection.execute(_FAILED_CALLS, {**about, **rows, "spread": timedelta(seconds=2)})


def _three(connection: Connection, which: str) -> tuple[list[Any], list[Any]]:
    return _live(connection, _AFFECTED, which=which)


def _live(
    connection: Connection, missions: int, *, which: str = _LIVE
) -> tuple[list[Any], list[Any]]:
    rows = connection.execute(which.encode(), {"missions": missions}).fetchall()
    if len(rows) < missions:
        raise LabError(f"Only {len(rows)} missions are there for it; heal the lab first.")
    return [row[0] for row in rows], [row[1] for row in rows]
