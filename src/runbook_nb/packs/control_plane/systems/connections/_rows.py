"""Our rows as Composio has them, and the trigger that forbids to update them."""

from typing import Any, Final

from runbook_nb.packs.control_plane.systems._database.owner import AS_OWNER
from runbook_nb.packs.control_plane.systems.connections._standing import AccountState, standings
from runbook_nb.probes.calls import Systems
from runbook_nb.probes.connections import Database

SET: Final = """
update mission_connections
set status = %(status)s::connection_status,
    approved_at = case when %(status)s = 'approved' then coalesce(approved_at, now())
                       else approved_at end,
    expires_at = %(expires_at)s
where id = %(row)s::uuid
returning id::text, status::text, expires_at
"""

# Adding the column keeps this table like the other thirteen that the trigger function serves.
ADD_COLUMN: Final = """
alter table mission_connections
add column if not exists updated_at timestamptz not null default now()
"""
DROP_COLUMN: Final = "alter table mission_connections drop column if exists updated_at"
HAS_COLUMN: Final = """
select exists (
    select from pg_attribute
    where attrelid = 'public.mission_connections'::regclass
      and attname = 'updated_at' and not attisdropped)
"""
NO_OP: Final = """
update mission_connections
set status = status
where id = (select id from mission_connections limit 1)
returning id::text
"""


def set_differing(systems: Systems) -> list[dict[str, Any]]:
    """Give every row that differs the state it should have; returns what each was."""
    done = []
    for one in standings(systems):
        wanted = _wanted(one)
        was = {"status": one.row["status"], "expires_at": one.row["expires_at"]}
        if wanted != was:
            found = systems.database().rows(SET, row=one.row["id"], **wanted)
            done += [{**row, "account": one.row["account"], "was": was} for row in found]
    return done


def _wanted(one: AccountState) -> dict[str, Any]:
    """Return the state and the end that a row should have."""
    ends = one.row["expires_at"]
    if one.disabled:
        return {"status": one.row["status"], "expires_at": ends}
    if not one.open:
        return {
            "status": "expired" if one.row["past_expiry"] else one.row["status"],
            "expires_at": ends,
        }
    if one.row["ends_soon"] and one.word == "approved":
        ends = one.refreshed_at + (one.row["expires_at"] - one.row["approved_at"])
    return {"status": one.word, "expires_at": ends}


def repair(database: Database) -> dict[str, Any]:
    """Add the column as the owner of the tables, and update one row to prove it."""
    database.rows(AS_OWNER)
    had = database.value(HAS_COLUMN)
    database.rows(ADD_COLUMN)
    return {"column added": not had, "an update then": f"{len(database.rows(NO_OP))} row"}


def drop_column(database: Database) -> None:
    """Take the column away again, as the owner of the tables."""
    database.rows(AS_OWNER)
    database.rows(DROP_COLUMN)


def try_update(database: Database) -> str:
    """Say what an update of one row does today; nothing of it stays."""
    import psycopg

    try:
        with database.transaction(rollback=True):
            return f"{len(database.rows(NO_OP))} row"
    except psycopg.Error as error:
        return f"{error.sqlstate}: {error.diag.message_primary}"
