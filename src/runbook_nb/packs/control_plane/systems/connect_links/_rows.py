"""The rows of links: begun anew, given up, and recorded."""

import secrets
from datetime import timedelta
from typing import Any, Final

from runbook_nb.packs.control_plane.systems.connect_links._attempts import Attempt
from runbook_nb.packs.control_plane.systems.connect_links._configs import scopes_of
from runbook_nb.packs.control_plane.systems.connect_links._queries import ASKED
from runbook_nb.probes.calls import Systems

# How long a connection lasts where nothing tells.
TERM: Final = timedelta(days=60)
BEGIN: Final = """
insert into mission_connections
    (mission_id, toolkit_slug, connect_link_id, requested_scopes, status, metadata)
values (%(mission)s::uuid, %(toolkit)s, %(link)s, to_jsonb(%(scopes)s::text[]), 'initiated',
        jsonb_build_object('replaces', %(replaces)s::text, 'connected_account', %(account)s::text,
                           'state', %(state)s::text, 'attempt', %(attempt)s::text))
returning id::text
"""
GIVE_UP: Final = """
update mission_connections
set status = 'expired'
where id = %(row)s::uuid and status = 'initiated'
returning id::text
"""
FORGET: Final = """
delete from mission_connections
where id = any(%(rows)s::uuid[]) and status = 'initiated'
returning id::text
"""
RESUME: Final = """
update mission_connections
set status = 'initiated'
where id = any(%(rows)s::uuid[]) and status = 'expired'
returning id::text
"""
RECORD: Final = """
update mission_connections
set status = 'approved', approved_at = now(), expires_at = now() + %(term)s,
    granted_scopes = to_jsonb(%(scopes)s::text[])
where id = %(row)s::uuid
returning id::text, toolkit_slug as toolkit, status::text, granted_scopes
"""
UNRECORD: Final = """
update mission_connections
set status = %(was)s::connection_status, approved_at = null, expires_at = null,
    granted_scopes = '[]'
where id = %(row)s::uuid and status = 'approved'
returning id::text, status::text
"""
SENT: Final = """
select count(*) from mission_connections where metadata ->> 'attempt' = %(attempt)s
"""


def new_state() -> str:
    """Draw the state by which a customer who comes back is known to have had our link."""
    return secrets.token_urlsafe(16)


def scopes_asked(systems: Systems, one: Attempt) -> list[str]:
    """Return the scopes of the attempt, or those that its toolkit is asked for today."""
    asked = {row["toolkit"]: row["scopes"] for row in systems.database().rows(ASKED)}
    return list(one.row["requested_scopes"] or asked.get(one.row["toolkit"], []))


def begin(systems: Systems, one: Attempt, *, link: str, account: str, state: str) -> dict[str, Any]:
    """Begin a row for a new link, and give the former one up."""
    database = systems.database()
    row = database.row(
        BEGIN,
        mission=one.row["mission_id"],
        toolkit=one.row["toolkit"],
        link=link,
        scopes=scopes_asked(systems, one),
        replaces=one.row["id"],
        account=account,
        state=state,
        attempt=systems.attempt,
    )
    given_up = database.rows(GIVE_UP, row=one.row["id"]) if one.row["id"] else []
    return {"row begun": row["id"], "rows given up": [each["id"] for each in given_up]}


def record_all(systems: Systems, found: list[Attempt]) -> list[dict[str, Any]]:
    """Record the consents that Composio holds."""
    done = []
    for one in found:
        values = {"row": one.row["id"], "scopes": scopes_of(one.account), "term": TERM}
        rows = systems.database().rows(RECORD, **values)
        done += [{**row, "was": one.row["status"], "tenant": one.row["tenant"]} for row in rows]
    return done
