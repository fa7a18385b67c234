"""How customers are asked anew, and how our rows are set right."""

import time
from datetime import datetime, timedelta
from typing import Final

from runbook_nb.errors import ActionError
from runbook_nb.packs.control_plane.systems.connections._consents import (
    account_of,
    approve_followed,
    auth_config,
    begin_anew,
    followed,
    needing_consent,
)
from runbook_nb.packs.control_plane.systems.connections._rows import (
    SET,
    drop_column,
    repair,
    set_differing,
    try_update,
)
from runbook_nb.packs.control_plane.systems.connections._standing import API, accounts, is_active
from runbook_nb.packs.control_plane.systems.connections._surplus import (
    demand_replaced,
    surplus_accounts,
)
from runbook_nb.probes.calls import Systems, action
from runbook_nb.text.values import Json

_LOOK_EVERY_S: Final = 1.0
FORGET: Final = (
    "delete from mission_connections where id = any(%(rows)s::uuid[]) returning id::text"
)
SET_BACK: Final = """
update mission_connections
set status = %(status)s::connection_status
where id = %(row)s::uuid
returning id::text, status::text
"""
UNAPPROVE: Final = """
update mission_connections
set status = 'initiated', approved_at = null, granted_scopes = '[]', expires_at = null
where id = any(%(rows)s::uuid[])
returning id::text, status::text
"""


@action(timeout_s=60, contained=True)
def send_links(systems: Systems) -> Json:
    """Make one link for each account that needs a new consent, and begin its rows anew.

    The former rows become expired. The links live 10 minutes; somebody must hand them to the
    customers. Returns each link with its account.
    """
    made = []
    for (user_id, toolkit), needing in needing_consent(systems).items():
        body = {"auth_config_id": auth_config(systems, toolkit), "user_id": user_id}
        sent = systems.http("composio").request("POST", f"{API}/connected_accounts/link", json=body)
        link = sent.raise_for_status().json()
        with systems.database().transaction():
            rows = begin_anew(
                systems, needing, link=link["link_token"], account=link["connected_account_id"]
            )
        made.append(
            {
                **account_of(needing),
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
    for (_user_id, toolkit), needing in needing_consent(systems).items():
        with systems.database().transaction(rollback=True):
            rows = begin_anew(systems, needing, link="rehearsal", account="rehearsal")
        # Their ids are drawn anew each time, so those of a rehearsal would tell nothing.
        begun = [{"replaces": row["replaces"]} for row in rows["rows begun"]]
        about = {**account_of(needing), "auth config": auth_config(systems, toolkit)}
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


@action(timeout_s=660, repeatable=True, contained=True)
def record_consents(systems: Systems, *, within: timedelta) -> Json:
    """Wait until the customers followed their links, and set their rows to approved.

    Raises ActionError when nobody did in time; those who did are recorded.
    """
    ends = time.monotonic() + within.total_seconds()
    while (waiting := followed(systems, yes=False)) and time.monotonic() < ends:
        time.sleep(_LOOK_EVERY_S)
    approved = approve_followed(systems)
    still = sorted({one.row["account"] for one in waiting})
    if still and not approved:
        message = f"No customer followed the link yet: {', '.join(still)}. Run this again then."
        raise ActionError(message)
    return {"rows approved": approved, "still waiting for": still}


@record_consents.rehearsal
def _(systems: Systems, *, within: timedelta) -> Json:
    with systems.database().transaction(rollback=True):
        approved = approve_followed(systems)
    waiting = [one.row["id"] for one in followed(systems, yes=False)]
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


@action(timeout_s=60, repeatable=True, irreversible=True, contained=True)
def revoke_duplicates(systems: Systems) -> Json:
    """Revoke every active account that a newer one of the same upstream account replaced.

    Declines where the one that stays does not replace it, and where half of all would go.
    """
    done, every = [], accounts(systems)
    replaced = surplus_accounts(systems, every)
    demand_replaced(replaced, every)
    for surplus in replaced:
        path = f"{API}/connected_accounts/{surplus['id']}/revoke"
        answer = systems.http("composio").request("POST", path).raise_for_status().json()
        done.append({**surplus, "now": answer["connected_account"]["status"]})
    return {"revoked": done}


@revoke_duplicates.rehearsal
def _(systems: Systems) -> Json:
    every = accounts(systems)
    replaced = surplus_accounts(systems, every)
    demand_replaced(replaced, every)
    return {"would revoke": replaced, "of active accounts": sum(map(is_active, every))}


@action(timeout_s=60, repeatable=True, contained=True)
def set_rows(systems: Systems) -> Json:
    """Give every row that differs the state Composio has, and every overdue one a true end.

    A row that is overdue or ends within 24 h, and whose account lives, gets its own term anew from
    the last refresh of the token; any other overdue row becomes expired. All in one transaction.
    """
    with systems.database().transaction():
        return {"rows set": set_differing(systems)}


@set_rows.rehearsal
def _(systems: Systems) -> Json:
    with systems.database().transaction(rollback=True):
        return {"rows set": set_differing(systems)}


@set_rows.undo
def _(systems: Systems, result: Json) -> Json:
    restored = []
    with systems.database().transaction():
        for row in result["rows set"]:
            ends = row["was"]["expires_at"]
            restored += systems.database().rows(
                SET,
                row=row["id"],
                status=row["was"]["status"],
                expires_at=datetime.fromisoformat(ends) if isinstance(ends, str) else ends,
            )
    return {"rows as before": restored}


@action(timeout_s=30, repeatable=True)
def repair_trigger(systems: Systems) -> Json:
    """Add the column that the update trigger writes, and prove it by an update of one row.

    Needs a writer that may become the owner of the table. Takes a lock for a moment, and gives up
    after 3 s when it cannot have it.
    """
    with systems.database().transaction():
        return repair(systems.database())


@repair_trigger.rehearsal
def _(systems: Systems) -> Json:
    before = try_update(systems.database())
    with systems.database().transaction(rollback=True):
        return {"an update today": before, **repair(systems.database())}


@repair_trigger.undo
def _(systems: Systems, result: Json) -> Json:
    with systems.database().transaction():
        if result["column added"]:
            drop_column(systems.database())
        return {"column dropped": result["column added"]}
