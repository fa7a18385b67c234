"""Rows that are deleted, and kept aside so that healing can put each back as it was."""

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, islice
from pathlib import Path
from typing import Any, Final

from psycopg import sql

from runbook_nb.errors import LabError
from runbook_nb.packs.control_plane.lab.backups import ASIDE, end_copies
from runbook_nb.packs.control_plane.lab.faults.outside import Connection, superuser
from runbook_nb.packs.control_plane.lab.state import LabState

_HOLDING_MISSIONS = """
SELECT table_name FROM information_schema.columns JOIN pg_tables ON tablename = table_name
 WHERE table_schema = 'public' AND schemaname = 'public' AND column_name = 'mission_id'
"""
_FINISHED: Final = """
SELECT mission.id FROM missions AS mission
  JOIN tenants AS tenant ON tenant.id = mission.tenant_id AND tenant.slug = %(tenant)s
 WHERE mission.status = 'completed' AND mission.created_at < now() - interval '7 days'
"""
_ENTRIES: Final = """
SELECT entry.id FROM library_entries AS entry
  JOIN tenants AS tenant ON tenant.id = entry.tenant_id AND tenant.slug = %(tenant)s
"""
_KEEP = "SELECT to_jsonb(t) FROM public.{} AS t WHERE {} = ANY(%s)"
_PUT_BACK = """
INSERT INTO public.{table} SELECT * FROM jsonb_populate_recordset(null::public.{table}, %s::jsonb)
ON CONFLICT DO NOTHING
"""
_POINT_AGAIN = """
UPDATE library_entries AS entry
   SET source_mission_id = kept.source_mission_id, updated_at = kept.updated_at
  FROM jsonb_populate_recordset(null::library_entries, %s::jsonb) AS kept
 WHERE kept.id = entry.id
"""


# PostgreSQL takes no JSON value of more than 256 MB, so rows are put back so many at a time.
_AT_ONCE: Final = 500


def delete_missions(lab: LabState, *tenants: str, name: str) -> None:
    """Delete the finished missions of tenants; with them goes all that hangs on them."""
    with superuser(lab) as connection:
        ids = [
            row[0]
            for tenant in tenants
            for row in connection.execute(_FINISHED.encode(), {"tenant": tenant})
        ]
        tables = [row[0] for row in connection.execute(_HOLDING_MISSIONS.encode())]
        goes = [("missions", "id"), *((table, "mission_id") for table in tables)]
        _keep(lab, name, _rows(connection, [*goes, ("library_entries", "source_mission_id")], ids))
        connection.execute(b"DELETE FROM missions WHERE id = ANY(%s)", [ids])


def delete_library(lab: LabState, tenant: str, *, name: str) -> None:
    """Delete the library entries of a tenant; their embeddings go with them."""
    with superuser(lab) as connection:
        ids = [row[0] for row in connection.execute(_ENTRIES.encode(), {"tenant": tenant})]
        goes = (("library_entries", "id"), ("library_embeddings", "entry_id"))
        _keep(lab, name, _rows(connection, goes, ids))
        connection.execute(b"DELETE FROM library_entries WHERE id = ANY(%s)", [ids])


def delete_stages(lab: LabState, *, name: str, tenant: str) -> None:
    """Delete the stages of a tenant's finished missions; the missions themselves stay."""
    with superuser(lab) as connection:
        ids = [row[0] for row in connection.execute(_FINISHED.encode(), {"tenant": tenant})]
        _keep(lab, name, _rows(connection, [("mission_stage_status", "mission_id")], ids))
        connection.execute(b"DELETE FROM mission_stage_status WHERE mission_id = ANY(%s)", [ids])


def put_back(lab: LabState, *, name: str) -> None:
    """Put the rows back as they were, stamps included, and end a copy that was restored."""
    end_copies(lab.folder)
    file = _file(lab, name)
    if not file.exists():
        return
    with superuser(lab) as connection, connection.transaction():
        # Else triggers would stamp the rows, and keys ask for an order.
        connection.execute("SET LOCAL session_replication_role = replica")
        for table, rows in _kept(file):
            statement = sql.SQL(_PUT_BACK).format(table=sql.Identifier(table))
            connection.execute(statement, [json.dumps(rows)])
            if table == "library_entries":
                connection.execute(_POINT_AGAIN.encode(), [json.dumps(rows)])
    file.unlink()


def _rows(
    connection: Connection, goes: Sequence[tuple[str, str]], ids: list[object]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the rows of each table whose column is one of ``ids``, one after the other."""
    for table, column in goes:
        query = sql.SQL(_KEEP).format(sql.Identifier(table), sql.Identifier(column))
        for (row,) in connection.cursor().stream(query, [ids]):
            yield table, row


def _keep(lab: LabState, name: str, rows: Iterable[tuple[str, dict[str, Any]]]) -> None:
    """Write rows aside, one a line; a fault that is injected already is not injected again."""
    file = _file(lab, name)
    if file.exists():
        raise LabError(f"{name} is injected already; heal it first.")
    file.parent.mkdir(exist_ok=True)
    half = file.with_suffix(".half")
    with half.open("w", encoding="utf-8") as lines:
        lines.writelines(json.dumps(row) + "\n" for row in rows)
    if not half.stat().st_size:
        half.unlink()
        raise LabError("There is nothing to delete; heal the lab first.")
    half.rename(file)


def _kept(file: Path) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Yield table by table what was written aside, a few rows at a time."""
    with file.open(encoding="utf-8") as lines:
        for table, rows in groupby(map(json.loads, lines), key=lambda kept: str(kept[0])):
            while chunk := [row for _, row in islice(rows, _AT_ONCE)]:
                yield table, chunk


def _file(lab: LabState, name: str) -> Path:
    return lab.folder / ASIDE / f"{name}.jsonl"
