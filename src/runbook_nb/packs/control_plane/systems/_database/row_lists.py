"""The list of rows that a backup keeps beside its files: each row's id, content, and owners.

Counts stay right when as many rows come as go, and when a column is overwritten. The list is made
just before a backup, so that the backup holds all of it. ``columns`` names what each digest covers;
of tables that retention purges, only the rows of each mission and day are counted.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from runbook_nb.errors import NoAnswerError
from runbook_nb.packs.control_plane.systems._database.backup_files import COMPLETED, MANIFEST
from runbook_nb.probes.calls import Systems
from runbook_nb.probes.connections import Database

LIST: Final = "rows.json"
# Retention deletes rows of these tables by itself: after so many days, by this column.
RETENTION: Final = {
    "telemetry_events": ("created_at", 180),
    "composio_audit_events": ("occurred_at", 180),
    "workspace_stream_sessions": ("disconnected_at", 90),
    "undo_events": ("occurred_at", 365),
    "mission_sessions": ("updated_at", 90),
}
# The platform writes these by itself: a new stamp is no new content, and a reference is blanked
# where what it names was deleted, which is a loss there and not here.
ITS_OWN: Final = (
    "updated_at",
    "source_mission_id",
    "source_artifact_id",
    "undo_plan_id",
    "mission_play_id",
)
TABLES: Final = """
select c.relname::text as name,
       (select array_agg(a.attname::text order by a.attnum)
        from pg_attribute a
        where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped) as columns,
       (select a.attname::text
        from pg_index i
        join pg_attribute a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
        where i.indrelid = c.oid and i.indisprimary and i.indnkeyatts = 1) as key
from pg_class c
where c.relnamespace = 'public'::regnamespace
  and c.relkind = 'r'
order by c.relname
"""
# PostgreSQL itself writes the question for a table, so that its names are quoted rightly.
ROWS: Final = """
select format(
    'select t.%%I::text as id, '
    'md5((to_jsonb(t) - %%L::text[])::text) as digest, '
    'coalesce(to_jsonb(t) ->> ''mission_id'', %%L) as mission, '
    'coalesce(to_jsonb(t) ->> ''tenant_id'', m.tenant_id::text) as tenant, '
    't.xmin::text as transaction '
    'from public.%%I t left join public.missions m on m.id::text = to_jsonb(t) ->> ''mission_id''',
    %(key)s::text, %(skipped)s::text[], null::text, %(table)s::text) as question
"""
DAYS: Final = """
select format(
    'select coalesce(mission_id::text, '''') as mission, '
    '(%%I at time zone ''utc'')::date::text as day, count(*) as rows '
    'from public.%%I where %%I is not null group by 1, 2',
    %(column)s::text, %(table)s::text, %(column)s::text) as question
"""


def newest(systems: Systems) -> tuple[Path, dict[str, Any]]:
    """Return the folder and the manifest of the newest completed backup that has its files."""
    base = Path(systems.setting("backup", "base"))
    for file in sorted(base.glob(f"*/{MANIFEST}"), reverse=True):
        backup: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        if backup["status"] == COMPLETED and (file.parent / "data").is_dir():
            return file.parent, backup
    message = f"No completed backup with its files is in {base}."
    raise NoAnswerError(message)


def list_rows(database: Database) -> dict[str, Any]:
    """Return the list of all rows as they are now."""
    tables = {row["name"]: row for row in database.rows(TABLES)}
    listed: dict[str, Any] = {"columns": {}, "rows": {}, "days": {}}
    for name, table in tables.items():
        if name in RETENTION:
            listed["days"][name] = days_of(database, name)
        elif table["key"]:
            listed["columns"][name] = table["columns"]
            listed["rows"][name] = {
                row["id"]: [row["digest"], row["mission"], row["tenant"]]
                for row in rows_of(database, name, key=table["key"], skipped=ITS_OWN)
            }
    return listed


def rows_of(
    database: Database, table: str, *, key: str, skipped: Sequence[str]
) -> list[dict[str, Any]]:
    """Return id, digest, mission, tenant and transaction of each row; ``skipped`` are columns."""
    asked = database.value(ROWS, table=table, key=key, skipped=list(skipped))
    return database.rows(asked.replace("%", "%%"))


def days_of(database: Database, table: str) -> dict[str, dict[str, int]]:
    """Return how many rows of a purged table are of each mission and day, UTC."""
    column, _days = RETENTION[table]
    asked = database.value(DAYS, table=table, column=column)
    counted: dict[str, dict[str, int]] = {}
    for row in database.rows(asked.replace("%", "%%")):
        counted.setdefault(row["mission"], {})[row["day"]] = int(row["rows"])
    return counted


def read_list(folder: Path) -> dict[str, Any]:
    """Return the list that a backup keeps; raises NoAnswerError where it keeps none."""
    try:
        found: dict[str, Any] = json.loads((folder / LIST).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        message = (
            f"The backup in {folder.name} keeps no list of its rows ({type(error).__name__}), so "
            "what was exchanged or overwritten since cannot be told. A backup taken here keeps one."
        )
        raise NoAnswerError(message) from error
    return found
