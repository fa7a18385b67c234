"""Rows of the lab's database, gathered by table and written by COPY."""

import json
from collections.abc import Mapping

import psycopg
from psycopg import sql

# A row may only point at rows of the tables before its own.
TABLES = (
    "tenants",
    "missions",
    "mission_metadata",
    "mission_stage_status",
    "mission_safeguards",
    "toolkit_selections",
    "mission_connections",
    "data_inspection_checks",
    "mission_undo_plans",
    "mission_plays",
    "mission_approvals",
    "mission_sessions",
    "mission_artifacts",
    "mission_evidence",
    "mission_feedback",
    "mission_followups",
    "mission_retrospectives",
    "telemetry_events",
    "workspace_stream_sessions",
    "composio_audit_events",
    "undo_events",
    "library_entries",
    "library_embeddings",
)


def canonical(content: object) -> str:
    """Return JSON with sorted keys and no spaces, the form that artifact hashes are made of."""
    return json.dumps(content, sort_keys=True, separators=(",", ":"))


class Rows:
    """Rows by table, all of one table with the same columns."""

    def __init__(self) -> None:
        self._columns: dict[str, tuple[str, ...]] = {}
        self._rows: dict[str, list[tuple[object, ...]]] = {table: [] for table in TABLES}

    def add(self, table: str, row: Mapping[str, object]) -> None:
        """Keep one row; dicts and lists become JSON. Raise ValueError if its columns differ."""
        columns = self._columns.setdefault(table, tuple(row))
        if columns != tuple(row):
            raise ValueError(f"A row of {table} has the columns {tuple(row)}, not {columns}.")
        self._rows[table].append(
            tuple(
                canonical(value) if isinstance(value, dict | list) else value
                for value in row.values()
            )
        )

    def write(self, connection: psycopg.Connection) -> None:
        """Copy every table's rows into the database, parents first."""
        with connection.cursor() as cursor:
            for table, columns in sorted(
                self._columns.items(), key=lambda kept: TABLES.index(kept[0])
            ):
                statement = sql.SQL("COPY public.{} ({}) FROM STDIN").format(
                    sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns))
                )
                with cursor.copy(statement) as copy:
                    for row in self._rows[table]:
                        copy.write_row(row)
