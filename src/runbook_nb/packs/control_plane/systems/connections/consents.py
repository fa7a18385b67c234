"""Ask customers for a new consent, record it when they gave it, and end surplus ones."""

import time
from datetime import timedelta
from typing import Any, Final

from runbook_nb.errors import ActionError
from runbook_nb.packs.control_plane.systems.connections.checks import surplus_accounts
from runbook_nb.packs.control_plane.systems.connections.standing import API, Standing, standings
from runbook_nb.probes.calls import Systems, action
from runbook_nb.text.values import Json

# Where the former row does not tell how long a connection lasts.
TERM: Final = timedelta(days=60)
_LOOK_EVERY_S: Final = 1.0

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

FORGET: Final = (
    "delete from mission_connections where id = any(%(rows)s::uuid[]) returning id::text"
)

SET_BACK: Final = """
update mission_connections
set status = %(status)s::connection_status
where id = %(row)s::uuid
returning id::text, status::text
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

UNAPPROVE: Final = """
update mission_connections
set status = 'initiated', approved_at = null, granted_scopes = '[]', expires_at = null
where id = any(%(rows)s::uuid[])
returning id::text, status::text
"""


@action(timeout_s=60)
def send_links(systems: Systems) -> Json:
    """Make one link for each account that needs a new consent, and begin its rows anew.

    The former rows become expired. The links live 10 minutes; somebody must hand them to the
    customers. Returns each link with its account.
    """
    made = []
    for (user_id, toolkit), needing in _needing(systems).items():
        body = {"auth_config_id": _auth_config(systems, toolkit), "user_id": user_id}
        sent = systems.http("composio").request("POST", f"{API}/connected_accounts/link", json=body)
        link = sent.raise_for_status().json()
        with systems.database().transaction():
            rows = _begin(
                systems, needing, link=link["link_token"], account=link["connected_account_id"]
            )
        made.append(
            {
                **_about(needing),
                "link for the customer": link["redirect_url"],
                "valid until": link["expires_at"],
                "new account": link["connected_account_id"],
                **rows,
            }
        )
    return {"links": made}


@send_links.rehearsal
def _(systems: Systems) -> Json:
    would = []
    for (_user_id, toolkit), needing in _needing(systems).items():
        with systems.database().transaction(rollback=True):
            rows = _begin(systems, needing, link="rehearsal", account="rehearsal")
        # Their ids are drawn anew each time, so those of a rehearsal would tell nothing.
        begun = [{"replaces": row["replaces"]} for row in rows["rows begun"]]
        about = {**_about(needing), "auth config": _auth_config(systems, toolkit)}
        would.append({**about, **rows, "rows begun": begun})
    return {"links": would}


@send_links.undo
def _(systems: Systems, result: Json) -> Json:
    restored = []
    for link in result["links"]:
        with systems.database().transaction():
            begun = [row["id"] for row in link["rows begun"]]
            systems.database().rows(FORGET, rows=begun)
            for row in link["rows expired"]:
                restored += systems.database().rows(SET_BACK, row=row["id"], status=row["was"])
        path = f"{API}/connected_accounts/{link['new account']}"
        systems.http("composio").request("DELETE", path).raise_for_status()
    return {"rows as before": restored}


@action(timeout_s=660, repeatable=True)
def record_consents(systems: Systems, *, within: timedelta) -> Json:
    """Wait until the customers followed their links, and set their rows to approved.

    Raises ActionError when nobody did in time; those who did are recorded.
    """
    ends = time.monotonic() + within.total_seconds()
    while (waiting := _followed(systems, yes=False)) and time.monotonic() < ends:
        time.sleep(_LOOK_EVERY_S)
    approved = _approve(systems)
    still = sorted({one.row["account"] for one in waiting})
    if still and not approved:
        message = f"No customer followed the link yet: {', '.join(still)}. Run this again then."
        raise ActionError(message)
    return {"rows approved": approved, "still waiting for": still}


@record_consents.rehearsal
def _(systems: Systems, *, within: timedelta) -> Json:
    with systems.database().transaction(rollback=True):
        approved = _approve(systems)
    waiting = [one.row["id"] for one in _followed(systems, yes=False)]
    return {
        "rows approved": approved,
        "rows to approve when their link was followed": waiting,
        "would wait up to": f"{within.total_seconds():g} s",
    }


@record_consents.undo
def _(systems: Systems, result: Json, *, within: timedelta) -> Json:  # noqa: ARG001
    with systems.database().transaction():
        rows = [row["id"] for row in result["rows approved"]]
        return {"rows initiated again": systems.database().rows(UNAPPROVE, rows=rows)}


@action(timeout_s=60, repeatable=True, irreversible=True)
def revoke_duplicates(systems: Systems) -> Json:
    """Revoke every active account that a newer one of the same upstream account replaced."""
    done = []
    for surplus in surplus_accounts(systems):
        path = f"{API}/connected_accounts/{surplus['id']}/revoke"
        answer = systems.http("composio").request("POST", path).raise_for_status().json()
        done.append({**surplus, "now": answer["connected_account"]["status"]})
    return {"revoked": done}


@revoke_duplicates.rehearsal
def _(systems: Systems) -> Json:
    return {"would revoke": surplus_accounts(systems)}


def _needing(systems: Systems) -> dict[tuple[str, str], list[Standing]]:
    """Return the rows that need a new consent, by tenant and toolkit.

    A revoked consent is not asked for again: its customer withdrew it.
    """
    found = [one for one in standings(systems) if one.open and one.row["status"] == "approved"]
    keys = {
        one.key
        for one in found
        if one.word in ("expired", "failed") or (one.word == "approved" and one.row["lacks_scopes"])
    }
    grouped: dict[tuple[str, str], list[Standing]] = {key: [] for key in sorted(keys)}
    for one in found:
        if one.key in grouped:
            grouped[one.key].append(one)
    return grouped


def _begin(systems: Systems, needing: list[Standing], *, link: str, account: str) -> dict[str, Any]:
    ids = [one.row["id"] for one in needing]
    was = {one.row["id"]: one.row["status"] for one in needing}
    begun = systems.database().rows(BEGIN, rows=ids, link=link, account=account)
    expired = systems.database().rows(EXPIRE, rows=ids)
    return {
        "rows expired": [{**row, "was": was[row["id"]]} for row in expired],
        "rows begun": begun,
    }


def _about(needing: list[Standing]) -> dict[str, Any]:
    return {"account": needing[0].row["account"], "toolkit": needing[0].row["toolkit"]}


def _auth_config(systems: Systems, toolkit: str) -> str:
    answer = systems.http("composio").get(
        f"{API}/auth_configs", params={"toolkit_slug": toolkit, "limit": "1"}
    )
    items = answer.raise_for_status().json()["items"]
    if not items:
        message = f"Composio has no auth config for {toolkit}; no link can be made."
        raise ActionError(message)
    return str(items[0]["id"])


def _followed(systems: Systems, *, yes: bool) -> list[Standing]:
    """Return the rows under way whose link was followed, or was not."""
    under_way = [one for one in standings(systems) if one.open and one.row["status"] == "initiated"]
    return [one for one in under_way if (one.word == "approved") is yes]


def _approve(systems: Systems) -> list[dict[str, Any]]:
    approved: list[dict[str, Any]] = []
    for one in _followed(systems, yes=True):
        scopes = _scopes(one.account)
        rows = [one.row["id"]]
        approved += systems.database().rows(APPROVE, rows=rows, scopes=scopes, term=TERM)
    return approved


def _scopes(account: dict[str, Any]) -> list[str]:
    granted = account["state"]["val"].get("scope") or []
    return granted.replace(",", " ").split() if isinstance(granted, str) else list(granted)
