"""The list of rows that the hosting partner's nightly job keeps beside a backup's files."""

import json
from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg import sql

from runbook_nb.timeline.store.embedded.files import write_whole

ROWS = "rows.json"
# Of what retention purges only the rows of each day are counted, by the column it goes by.
_PURGED: Final = {
    "telemetry_events": "created_at",
    "composio_audit_events": "occurred_at",
    "workspace_stream_sessions": "disconnected_at",
    "undo_events": "occurred_at",
    "mission_sessions": "updated_at",
}
# A digest leaves out what the platform writes by itself: stamps, and references it blanks.
_ITS_OWN: Final = [
    "updated_at",
    "source_mission_id",
    "source_artifact_id",
    "undo_plan_id",
    "mission_play_id",
]
_TABLES = """
select c.relname::text, array_agg(a.attname::text order by a.attnum),
       (select k.attname::text from pg_index i
          join pg_attribute k on k.attrelid = c.oid and k.attnum = i.indkey[0]
         where i.indrelid = c.oid and i.indisprimary)
from pg_class c
join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
where c.relnamespace = 'public'::regnamespace and c.relkind = 'r'
group by c.oid
"""
_LISTED = """
select t.{key}::text, md5((to_jsonb(t) - {own}::text[])::text),
       to_jsonb(t) ->> 'mission_id', coalesce(to_jsonb(t) ->> 'tenant_id', m.tenant_id::text)
from public.{table} t
left join public.missions m on m.id::text = to_jsonb(t) ->> 'mission_id'
"""
_COUNTED = """
select coalesce(mission_id::text, ''), ({column} at time zone 'utc')::date::text, count(*)
from public.{table} where {column} is not null group by 1, 2
"""


def write_rows(backup: Path, dsn: str) -> None:
    """Write the list of the rows that the database holds now: ids, digests, owners; days."""
    listed: dict[str, Any] = {"columns": {}, "rows": {}, "days": {}}
    with psycopg.connect(dsn, autocommit=True) as connection:
        for name, columns, key in connection.execute(_TABLES).fetchall():
            table = sql.Identifier(name)
            if name in _PURGED:
                column = sql.Identifier(_PURGED[name])
                asked = sql.SQL(_COUNTED).format(table=table, column=column)
                days: dict[str, dict[str, int]] = {}
                for mission, day, rows in connection.execute(asked):
                    days.setdefault(mission, {})[day] = rows
                listed["days"][name] = days
            else:
                asked = sql.SQL(_LISTED).format(
                    table=table, key=sql.Identifier(key), own=sql.Literal(_ITS_OWN)
                )
                found = connection.execute(asked).fetchall()
                listed["columns"][name] = columns
                listed["rows"][name] = {row[0]: list(row[1:]) for row in found}
    write_whole(backup / ROWS, json.dumps(listed))
