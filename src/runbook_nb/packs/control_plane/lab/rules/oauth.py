"""Alert rules for connections, with the thresholds of the platform."""

from collections import Counter
from datetime import UTC, datetime
from typing import Any, Final

from runbook_nb.packs.control_plane.lab.emulators.composio import PROJECT
from runbook_nb.packs.control_plane.lab.inspection import NO_CERTIFICATES
from runbook_nb.packs.control_plane.lab.rules.rule import AlertRule, sql
from runbook_nb.packs.control_plane.lab.state import LabState
from runbook_nb.timeline.store.embedded.files import read_secret

API: Final = "/api/v3.1"
# Keys are rotated each quarter.
OLDEST_KEY_DAYS: Final = 90
PATIENCE_S: Final = 2.0

APPROVED: Final = """
select distinct m.tenant_id::text, c.toolkit_slug
from mission_connections c
join missions m on m.id = c.mission_id and m.status not in ('completed', 'archived')
where c.status = 'approved'
"""

# A flow that failed before the newest consent for its tenant and toolkit is over.
FLOWS: Final = """
with flow as (
    select t.context ->> 'status' in ('expired', 'failed') as failed
    from telemetry_events t
    where t.event_type = 'composio_auth_flow'
      and t.created_at > now() - interval '15 minutes'
      and t.created_at > coalesce(
          (select max(c.approved_at)
           from mission_connections c
           join missions m on m.id = c.mission_id
           where m.tenant_id = t.tenant_id
             and c.toolkit_slug = t.context ->> 'toolkit'
             and c.status = 'approved'),
          '-infinity')
)
select count(*) filter (where failed) >= 3
   and count(*) filter (where failed) > 0.1 * count(*)
from flow
"""


def _ask(lab: LabState, system: str, path: str, header: str) -> Any:
    """Return what Composio answers; None when it does not, which is for another rule."""
    import httpx

    try:
        answer = httpx.get(
            f"http://127.0.0.1:{lab.ports[system]}{API}{path}",
            headers={header: read_secret(lab.folder, f"{system}.token")},
            timeout=PATIENCE_S,
            trust_env=False,
            verify=NO_CERTIFICATES,
        )
        return answer.raise_for_status().json()
    except (httpx.HTTPError, ValueError):
        return None


def _accounts(lab: LabState, status: str) -> list[dict[str, Any]]:
    path = f"/connected_accounts?limit=100&statuses={status}"
    page = _ask(lab, "composio", path, "x-api-key")
    return list(page["items"]) if page else []


def _doubled(lab: LabState, _connection: Any) -> bool:
    held = Counter(
        (one["user_id"], one["toolkit"]["slug"], one["state"]["val"]["account_id"])
        for one in _accounts(lab, "ACTIVE")
    )
    return any(count > 1 for count in held.values())


def _withdrawn(lab: LabState, connection: Any) -> bool:
    """Tell whether rows are approved for which Composio holds only revoked accounts."""
    active = {(one["user_id"], one["toolkit"]["slug"]) for one in _accounts(lab, "ACTIVE")}
    revoked = {(one["user_id"], one["toolkit"]["slug"]) for one in _accounts(lab, "REVOKED")}
    if not revoked - active:
        return False
    return bool((revoked - active) & set(connection.execute(APPROVED).fetchall()))


def _key_overdue(lab: LabState, _connection: Any) -> bool:
    found = _ask(lab, "composio_org", f"/org/owner/project/{PROJECT}", "x-org-api-key")
    made = [datetime.fromisoformat(one["created_at"]) for one in (found or {}).get("api_keys", ())]
    return any((datetime.now(UTC) - at).days > OLDEST_KEY_DAYS for at in made)


RULES: Final = (
    AlertRule(
        name="OAuthRefreshFailuresHigh",
        severity="critical",
        summary="More than 10 % of the OAuth flows of the last 15 minutes failed or expired.",
        fires=sql(FLOWS),
        service="composio",
    ),
    AlertRule(
        name="ConnectionsPastExpiry",
        severity="warning",
        summary="Connections are approved although their time is over.",
        fires=sql("""
            select exists (
                select from mission_connections where status = 'approved' and expires_at < now())
            """),
        service="composio",
    ),
    AlertRule(
        name="ConnectionScopesMissing",
        severity="warning",
        summary="Connections of open missions hold fewer scopes than were asked for.",
        fires=sql("""
            select exists (
                select from mission_connections c
                join missions m on m.id = c.mission_id
                 and m.status not in ('completed', 'archived')
                where c.status = 'approved' and not c.granted_scopes @> c.requested_scopes)
            """),
        service="composio",
    ),
    AlertRule(
        name="ConnectionWithdrawn",
        severity="warning",
        summary="A customer withdrew a consent that our rows still show as approved.",
        fires=_withdrawn,
        service="composio",
    ),
    AlertRule(
        name="ConnectedAccountDoubled",
        severity="warning",
        summary="One upstream account is connected more than once.",
        fires=_doubled,
        service="composio",
    ),
    AlertRule(
        name="ComposioKeyOverdue",
        severity="warning",
        summary="A valid key of the Composio project is older than 90 days.",
        fires=_key_overdue,
        service="composio",
    ),
)
