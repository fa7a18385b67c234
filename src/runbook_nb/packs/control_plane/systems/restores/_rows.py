"""Rows that a copy holds and the source does not: brought back by inserts, taken back by id."""

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from runbook_nb.probes.connections import Database

# Parents before their children, so that each foreign key finds its row; with the primary keys.
KEYS: Final = {
    "tenants": "id",
    "personas": "id",
    "missions": "id",
    "mission_metadata": "id",
    "mission_stage_status": "id",
    "mission_safeguards": "id",
    "toolkit_selections": "id",
    "mission_connections": "id",
    "data_inspection_checks": "id",
    "mission_undo_plans": "id",
    "mission_plays": "id",
    "mission_approvals": "id",
    "mission_sessions": "id",
    "mission_artifacts": "id",
    "mission_evidence": "id",
    "mission_feedback": "id",
    "mission_followups": "id",
    "mission_retrospectives": "id",
    "telemetry_events": "id",
    "workspace_stream_sessions": "id",
    "composio_audit_events": "id",
    "undo_events": "id",
    "library_entries": "id",
    "library_embeddings": "entry_id",
}
# Columns that a delete of their parent blanks and keeps the row.
BLANKED: Final = (
    ("library_entries", "tenant_id"),
    ("library_entries", "source_mission_id"),
    ("library_entries", "source_artifact_id"),
    ("mission_plays", "undo_plan_id"),
    ("mission_approvals", "mission_play_id"),
    ("mission_approvals", "undo_plan_id"),
    ("telemetry_events", "tenant_id"),
    ("workspace_stream_sessions", "tenant_id"),
    ("composio_audit_events", "tenant_id"),
)
_AT_ONCE: Final = 500

# A table's name cannot be bound; these come from the constants above and from nowhere else.
IDS: Final = "select {key}::text as id from public.{table}"

FETCH: Final = """
select to_jsonb(t) as row
from public.{table} t
where {key} = any(%(ids)s::uuid[])
"""

INSERT: Final = """
insert into public.{table}
select * from jsonb_populate_recordset(null::public.{table}, %(rows)s::jsonb)
on conflict do nothing
returning {key}::text as id
"""

DELETE: Final = """
delete from public.{table}
where {key} = any(%(ids)s::uuid[])
returning {key}::text as id
"""

POINTING: Final = """
select id::text as id, {column}::text as parent
from public.{table}
where {column} is not null
"""

BLANK: Final = """
select id::text as id
from public.{table}
where {column} is null
"""

POINT: Final = """
update public.{table} t
set {column} = wanted.parent::uuid
from unnest(%(ids)s::text[], %(parents)s::text[]) as wanted (id, parent)
where t.id = wanted.id::uuid and t.{column} is null
returning t.id::text as id
"""

UNPOINT: Final = """
update public.{table}
set {column} = null
where id = any(%(ids)s::uuid[])
returning id::text as id
"""


def missing(copy: Database, source: Database, tables: Sequence[str]) -> dict[str, list[str]]:
    """Return the ids of the rows that only the copy holds, by table, parents first."""
    found = {}
    for table, key in _chosen(tables).items():
        query = IDS.format(table=table, key=key)
        there = {row["id"] for row in source.rows(query)}
        ids = sorted({row["id"] for row in copy.rows(query)} - there)
        if ids:
            found[table] = ids
    return found


def insert(
    copy: Database, source: Database, ids: Mapping[str, Sequence[str]]
) -> dict[str, list[str]]:
    """Insert these rows as the copy has them; returns the ids that were inserted, by table."""
    inserted: dict[str, list[str]] = {}
    for table, wanted in ids.items():
        key = KEYS[table]
        for begin in range(0, len(wanted), _AT_ONCE):
            chunk = list(wanted[begin : begin + _AT_ONCE])
            rows = [row["row"] for row in copy.rows(FETCH.format(table=table, key=key), ids=chunk)]
            statement = INSERT.format(table=table, key=key)
            done = source.rows(statement, rows=json.dumps(rows))
            inserted.setdefault(table, []).extend(row["id"] for row in done)
    return inserted


def point_again(
    copy: Database, source: Database, *, parents: Collection[str]
) -> dict[str, list[str]]:
    """Fill columns that the loss of these parents blanked; returns ids by ``table.column``."""
    filled: dict[str, list[str]] = {}
    for table, column in BLANKED:
        names = {"table": table, "column": column}
        blank = {row["id"] for row in source.rows(BLANK.format(**names))}
        pairs = [
            (row["id"], row["parent"])
            for row in copy.rows(POINTING.format(**names))
            if row["id"] in blank and row["parent"] in parents
        ]
        if pairs:
            ids, wanted = (list(each) for each in zip(*pairs, strict=True))
            done = source.rows(POINT.format(**names), ids=ids, parents=wanted)
            filled[f"{table}.{column}"] = [row["id"] for row in done]
    return filled


def take_back(
    source: Database, *, inserted: Mapping[str, Sequence[str]], filled: Mapping[str, Sequence[str]]
) -> dict[str, Any]:
    """Blank those columns and delete those rows again, children first."""
    blanked = {}
    for name, ids in filled.items():
        table, _, column = name.partition(".")
        done = source.rows(UNPOINT.format(table=table, column=column), ids=list(ids))
        blanked[name] = len(done)
    deleted = {}
    for table in reversed([table for table in KEYS if inserted.get(table)]):
        statement = DELETE.format(table=table, key=KEYS[table])
        deleted[table] = len(source.rows(statement, ids=list(inserted[table])))
    return {"deleted": deleted, "blanked": blanked}


def _chosen(tables: Sequence[str]) -> dict[str, str]:
    """Return the tables asked for with their keys, parents first; all when none is named."""
    unknown = set(tables) - KEYS.keys()
    if unknown:
        message = f"There is no table {', '.join(sorted(unknown))}. Known: {', '.join(KEYS)}."
        raise ValueError(message)
    return {table: key for table, key in KEYS.items() if not tables or table in tables}
