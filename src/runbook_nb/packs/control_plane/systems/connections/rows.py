"""Set our rows as Composio has them, and mend the trigger that forbids it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final

from runbook_nb.packs.control_plane.systems.connections.standing import Standing, standings
from runbook_nb.probes import secrets
from runbook_nb.probes.calls import Systems, action
from runbook_nb.probes.connections import Database
from runbook_nb.text.values import Json

OWNER_TIMEOUT_S: Final = 20

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
# Waiting longer for the table would queue every query behind us.
IN_TURN: Final = "set local lock_timeout = '2s'"
NO_OP: Final = """
update mission_connections
set status = status
where id = (select id from mission_connections limit 1)
returning id::text
"""


@action(timeout_s=60, repeatable=True)
def set_rows(systems: Systems) -> Json:
    """Give every row that differs the state Composio has, and every overdue one a true end.

    A row that is overdue or ends within 24 h, and whose account lives, gets its own term anew from
    the last refresh of the token; any other overdue row becomes expired. All in one transaction.
    """
    with systems.database().transaction():
        return {"rows set": _set(systems)}


@set_rows.rehearsal
def _(systems: Systems) -> Json:
    with systems.database().transaction(rollback=True):
        return {"rows set": _set(systems)}


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

    Needs the owner of the table: the setting ``owner`` of the database. Takes a lock for a moment,
    and gives up after 2 s when it cannot have it.
    """
    with _owner(systems) as owner, owner.transaction():
        return _repair(owner)


@repair_trigger.rehearsal
def _(systems: Systems) -> Json:
    with _owner(systems) as owner:
        before = _no_op(owner)
        with owner.transaction(rollback=True):
            return {"an update today": before, **_repair(owner)}


@repair_trigger.undo
def _(systems: Systems, result: Json) -> Json:
    with _owner(systems) as owner, owner.transaction():
        owner.rows(IN_TURN)
        if result["column added"]:
            owner.rows(DROP_COLUMN)
        return {"column dropped": result["column added"]}


def _set(systems: Systems) -> list[dict[str, Any]]:
    done = []
    for one in standings(systems):
        wanted = _wanted(one)
        was = {"status": one.row["status"], "expires_at": one.row["expires_at"]}
        if wanted != was:
            found = systems.database().rows(SET, row=one.row["id"], **wanted)
            done += [{**row, "account": one.row["account"], "was": was} for row in found]
    return done


def _wanted(one: Standing) -> dict[str, Any]:
    """Return the state and the end that a row should have."""
    ends = one.row["expires_at"]
    if not one.open:
        return {
            "status": "expired" if one.row["past_expiry"] else one.row["status"],
            "expires_at": ends,
        }
    if one.row["ends_soon"] and one.word == "approved":
        ends = one.refreshed_at + (one.row["expires_at"] - one.row["approved_at"])
    return {"status": one.word, "expires_at": ends}


def _repair(owner: Database) -> dict[str, Any]:
    owner.rows(IN_TURN)
    had = owner.value(HAS_COLUMN)
    owner.rows(ADD_COLUMN)
    return {"column added": not had, "an update then": f"{len(owner.rows(NO_OP))} row"}


def _no_op(owner: Database) -> str:
    """Say what an update of one row does today; nothing of it stays."""
    import psycopg

    try:
        with owner.transaction(rollback=True):
            return f"{len(owner.rows(NO_OP))} row"
    except psycopg.Error as error:
        return f"{error.sqlstate}: {error.diag.message_primary}"


@contextmanager
def _owner(systems: Systems) -> Iterator[Database]:
    """Connect as the owner of the tables, whom no probe and no other action uses."""
    reference = systems.setting("database", "owner")
    dsn = secrets.resolve(reference, of="'owner' of 'database'").get_secret_value()
    owner = Database(dsn, read_only=False, timeout_s=OWNER_TIMEOUT_S, asked=[])
    try:
        yield owner
    finally:
        owner.close()
