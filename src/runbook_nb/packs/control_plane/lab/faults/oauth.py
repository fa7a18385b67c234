"""The faults of connections: expired, withdrawn, doubled, overdue, and one that looks alike."""

import secrets
from collections.abc import Mapping

from runbook_nb.errors import LabError
from runbook_nb.packs.control_plane.lab.faults.fault import Fault
from runbook_nb.packs.control_plane.lab.faults.oauth_partner import (
    API,
    accounts_of,
    begin_anew,
    break_composio,
    busiest,
    composio,
    keep_rows,
    provide,
    restore_rows,
    second_key,
)
from runbook_nb.packs.control_plane.lab.faults.outside import (
    Connection,
    lasting_id,
    restore_agent,
    restore_live_sessions,
    superuser,
    until,
)
from runbook_nb.packs.control_plane.lab.state import LabState

_KEY_AGE_DAYS = 120
_FOLLOWED_WITHIN_S = 4.0
_CALLS_A_MISSION = 4
_AUDITS = [lasting_id(f"refused call {number}") for number in range(60)]
_EVENTS = [lasting_id(f"failed refresh {number}") for number in range(60)]

# What agents write when a call is refused and the consent cannot be refreshed.
_REFUSED = """
insert into composio_audit_events
       (id, mission_id, tenant_id, toolkit, action, status, outcome, latency_ms, error_code,
        occurred_at)
select (%(ids)s::uuid[])[row_number() over ()], c.mission_id, m.tenant_id, c.toolkit_slug,
       upper(c.toolkit_slug) || '_CALL', %(status)s,
       jsonb_build_object('successful', false, 'http_status', %(http_status)s::int),
       180, %(error_code)s, now() - interval '6 minutes' - attempt * interval '9 seconds'
from (select distinct on (mission_id, toolkit_slug) * from mission_connections
      order by mission_id, toolkit_slug, requested_at desc) as c
join missions m on m.id = c.mission_id
cross join generate_series(1, %(calls)s::int) as attempt
where m.status = 'in_progress' and m.current_stage = 'Execute' and c.status = 'approved'
  and (%(user_id)s::text is null
       or (m.tenant_id::text, c.toolkit_slug) = (%(user_id)s::text, %(toolkit)s::text))
limit cardinality(%(ids)s::uuid[])
"""
_FLOWS = """
insert into telemetry_events
       (id, mission_id, tenant_id, agent_name, stage, event_type, status, context, created_at)
select (%(ids)s::uuid[])[row_number() over (order by a.id)], a.mission_id, a.tenant_id, 'executor',
       'Execute', 'composio_auth_flow', 'warning',
       jsonb_build_object('toolkit', a.toolkit, 'status', %(word)s::text), a.occurred_at
from composio_audit_events a
where a.id = any(%(audits)s::uuid[])
"""
_FORGET = """
delete from telemetry_events where id = any(%(events)s::uuid[])
"""
_FORGET_AUDITS = "delete from composio_audit_events where id = any(%(audits)s::uuid[])"

_OVERDUE = """
update mission_connections c
set expires_at = now() - interval '26 hours', approved_at = now() - interval '61 days',
    requested_at = now() - interval '61 days'
from missions m
where m.id = c.mission_id and c.status = 'approved'
  and m.status in ('in_progress', 'ready')
  and (m.tenant_id::text, c.toolkit_slug) = (%(user_id)s, %(toolkit)s)
"""
_LESS = """
update mission_connections c
set granted_scopes = jsonb_build_array(c.requested_scopes -> 0)
from missions m
where m.id = c.mission_id and c.status = 'approved' and m.status = 'in_progress'
  and (m.tenant_id::text, c.toolkit_slug) = (%(user_id)s, %(toolkit)s)
returning granted_scopes
"""


def expire_accounts(lab: LabState) -> None:
    """Have a provider refuse to refresh a token, so that calls fail; our rows stay approved."""
    with superuser(lab) as connection:
        about = busiest(connection)
        keep_rows(connection)
        provide(lab, expire=True, **about)
        _refuse_calls(
            connection, about, status="auth_expired", error_code="AUTH_EXPIRED", http_status=410
        )
        _tell(connection, word="expired")


def withdraw_consent(lab: LabState) -> None:
    """Have a customer withdraw the consent at Composio; our rows stay approved."""
    with superuser(lab) as connection:
        about = busiest(connection)
        keep_rows(connection)
    for account in accounts_of(lab, about):
        with composio(lab) as client:
            client.post(f"{API}/connected_accounts/{account['id']}/revoke").raise_for_status()


def leave_rows(lab: LabState) -> None:
    """Let connections pass their end with nobody able to update their rows."""
    with superuser(lab) as connection:
        about = busiest(connection)
        keep_rows(connection)
        _change(connection, _OVERDUE, about)


def grant_less(lab: LabState) -> None:
    """Have a customer untick a scope: the account and the rows hold less than was asked for."""
    with superuser(lab) as connection:
        about = busiest(connection)
        keep_rows(connection)
        granted = _change(connection, _LESS, about)
    provide(lab, scopes=granted, **about)


def connect_twice(lab: LabState) -> None:
    """Have a customer follow a second link for an account that is connected already."""
    with superuser(lab) as connection:
        about = busiest(connection)
    with composio(lab) as client:
        body = {"auth_config_id": f"ac_{about['toolkit']}", "user_id": about["user_id"]}
        client.post(f"{API}/connected_accounts/link", json=body).raise_for_status()
    until(
        lambda: all(account["status"] == "ACTIVE" for account in accounts_of(lab, about)),
        within_s=_FOLLOWED_WITHIN_S,
        otherwise="The customer did not follow the second link",
    )


def age_key(lab: LabState) -> None:
    """Let the quarter pass without a rotation; a person has made the second key already."""
    provide(lab, key_age_days=_KEY_AGE_DAYS)
    second_key(lab, f"ak{secrets.token_hex(24)}")


def break_partner(lab: LabState) -> None:
    """Have Composio fail for everybody: refreshes fail too, which looks like lost consents."""
    with superuser(lab) as connection:
        _refuse_calls(connection, None, status="error", error_code="HTTP_503", http_status=503)
        _tell(connection, word="failed")
    html = "<html><head><title>503 Service Temporarily Unavailable</title></head></html>"
    break_composio(lab, status=503, headers={"content-type": "text/html"}, body=html)


def heal(lab: LabState) -> None:
    """Put rows, accounts and keys back as they were."""
    begin_anew(lab)
    restore_rows(lab)
    with superuser(lab) as connection:
        connection.execute(_FORGET, {"events": _EVENTS})
        connection.execute(_FORGET_AUDITS, {"audits": _AUDITS})
    restore_live_sessions(lab, anew=restore_agent(lab))


def _refuse_calls(
    connection: Connection,
    about: dict[str, str] | None,
    *,
    status: str,
    error_code: str,
    http_status: int,
) -> None:
    where: Mapping[str, str | None] = about or {"user_id": None, "toolkit": None}
    values = {"status": status, "error_code": error_code, "http_status": http_status}
    connection.execute(_REFUSED, {"ids": _AUDITS, "calls": _CALLS_A_MISSION, **values, **where})


def _tell(connection: Connection, *, word: str) -> None:
    connection.execute(_FLOWS, {"ids": _EVENTS, "audits": _AUDITS, "word": word})


def _change(connection: Connection, statement: str, about: dict[str, str]) -> list[str]:
    """Change rows around the trigger; return the scopes of the first, where the statement does."""
    with connection.transaction():
        connection.execute("set local session_replication_role = replica")
        changed = connection.execute(statement.encode(), about)
        if not changed.rowcount:
            raise LabError("No connection could be changed; heal the lab first.")
        return list(changed.fetchall()[0][0]) if changed.description else []


FAULTS = tuple(
    Fault(name=name, title=title, inject=inject, heal=heal)
    for name, title, inject in (
        (
            "accounts_expired",
            "A provider no longer refreshes a consent; our rows still say approved",
            expire_accounts,
        ),
        (
            "consent_withdrawn",
            "A customer withdrew a consent at Composio; our rows still say approved",
            withdraw_consent,
        ),
        ("rows_overdue", "Connections passed their end and no row could be updated", leave_rows),
        ("scopes_missing", "A customer granted less than was asked for", grant_less),
        ("account_doubled", "A customer connected the same account twice", connect_twice),
        ("key_overdue", "The API key is older than a quarter", age_key),
        (
            "composio_down",
            "Composio fails for everybody, and refreshes fail with it",
            break_partner,
        ),
    )
)
