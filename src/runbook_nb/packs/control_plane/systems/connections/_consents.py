"""Consents of customers: who needs a new one, which were given, and the rows of both."""

from datetime import timedelta
from typing import Any, Final

from runbook_nb.errors import ActionError
from runbook_nb.packs.control_plane.systems.connections._standing import (
    API,
    AccountState,
    standings,
)
from runbook_nb.probes.calls import Systems

# Where the former row does not tell how long a connection lasts.
TERM: Final = timedelta(days=60)
EXPIRE: Final = """
update mission_connections
set status = 'expired'
where id = any(%(rows)s::uuid[])
returning id::text, status::text
"""

BEGIN: Final = """
insert into mission_connections
    (mission_id, toolkit_slug, connect_link_id, requested_scopes, status, metadata)
select mission_id, toolkit_slug, %(link)s, requested_scopes, 'initiated',
       metadata || jsonb_build_object('replaces', id, 'connected_account', %(account)s::text)
from mission_connections
where id = any(%(rows)s::uuid[])
returning id::text, metadata ->> 'replaces' as replaces
"""

APPROVE: Final = """
update mission_connections c
set status = 'approved',
    approved_at = now(),
    granted_scopes = to_jsonb(%(scopes)s::text[]),
    expires_at = now() + coalesce(
        (select old.expires_at - old.approved_at
         from mission_connections old
         where old.id = (c.metadata ->> 'replaces')::uuid),
        %(term)s)
where c.id = any(%(rows)s::uuid[])
returning id::text, status::text, granted_scopes, expires_at
"""


def needing_consent(systems: Systems) -> dict[tuple[str, str], list[AccountState]]:
    """Return the rows that need a new consent, by tenant and toolkit.

    A revoked consent is not asked for again: its customer withdrew it. An account that is only
    disabled at Composio needs none: it is enabled there.
    """
    found = [one for one in standings(systems) if one.open and one.row["status"] == "approved"]
    keys = {
        one.key
        for one in found
        if (one.word in ("expired", "failed") and not one.disabled)
        or (one.word == "approved" and one.row["lacks_scopes"])
    }
    grouped: dict[tuple[str, str], list[AccountState]] = {key: [] for key in sorted(keys)}
    for one in found:
        if one.key in grouped:
            grouped[one.key].append(one)
    return grouped


def begin_anew(
    systems: Systems, needing: list[AccountState], *, link: str, account: str
) -> dict[str, Any]:
    """Make rows expired and begun anew, as one link for an account needs them."""
    ids = [one.row["id"] for one in needing]
    was = {one.row["id"]: one.row["status"] for one in needing}
    begun = systems.database().rows(BEGIN, rows=ids, link=link, account=account)
    expired = systems.database().rows(EXPIRE, rows=ids)
    return {
        "rows expired": [{**row, "was": was[row["id"]]} for row in expired],
        "rows begun": begun,
    }


def account_of(needing: list[AccountState]) -> dict[str, Any]:
    """Return whose account it is, and for what."""
    return {"account": needing[0].row["account"], "toolkit": needing[0].row["toolkit"]}


def auth_config(systems: Systems, toolkit: str) -> str:
    """Return the configuration that a link is made with; raises ActionError without one."""
    answer = systems.http("composio").get(
        f"{API}/auth_configs", params={"toolkit_slug": toolkit, "limit": "1"}
    )
    items = answer.raise_for_status().json()["items"]
    if not items:
        message = f"Composio has no auth config for {toolkit}; no link can be made."
        raise ActionError(message)
    return str(items[0]["id"])


def followed(systems: Systems, *, yes: bool) -> list[AccountState]:
    """Return the rows under way whose link was followed, or was not."""
    under_way = [one for one in standings(systems) if one.open and one.row["status"] == "initiated"]
    return [one for one in under_way if (one.word == "approved") is yes]


def approve_followed(systems: Systems) -> list[dict[str, Any]]:
    """Set the rows to approved whose link was followed."""
    approved: list[dict[str, Any]] = []
    for one in followed(systems, yes=True):
        scopes = _scopes(one.account)
        rows = [one.row["id"]]
        approved += systems.database().rows(APPROVE, rows=rows, scopes=scopes, term=TERM)
    return approved


def _scopes(account: dict[str, Any]) -> list[str]:
    granted = account["state"]["val"].get("scope") or []
    return granted.replace(",", " ").split() if isinstance(granted, str) else list(granted)
