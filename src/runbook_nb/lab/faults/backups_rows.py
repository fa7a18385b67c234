"""Rows that are deleted, and kept aside so that healing can put each back as it was."""

import json
from typing import Final

from psycopg import sql

from runbook_nb.errors import LabError
from runbook_nb.lab.backups import ASIDE, end_copies, manifests
from runbook_nb.lab.faults.outside import Connection, superuser, until
from runbook_nb.lab.files import write_whole
from runbook_nb.lab.state import LabState

_BACKUP_WITHIN_S = 8.0

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
_KEEP = "SELECT coalesce(jsonb_agg(to_jsonb(t)), '[]') FROM public.{} AS t WHERE {} = ANY(%s)"
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


def delete_missions(lab: LabState, *, name: str, tenant: str) -> None:
    """Delete the finished missions of a tenant; with them goes all that hangs on them."""
    await_backup(lab)
    with superuser(lab) as connection:
        ids = [row[0] for row in connection.execute(_FINISHED.encode(), {"tenant": tenant})]
        tables = [row[0] for row in connection.execute(_HOLDING_MISSIONS.encode())]
        kept = {table: _rows(connection, table, "mission_id", ids) for table in tables}
        kept["missions"] = _rows(connection, "missions", "id", ids)
        kept["library_entries"] = _rows(connection, "library_entries", "source_mission_id", ids)
        _keep(lab, name, kept)
        connection.execute(b"DELETE FROM missions WHERE id = ANY(%s)", [ids])


def delete_library(lab: LabState, *, name: str, tenant: str) -> None:
    """Delete the library entries of a tenant; their embeddings go with them."""
    await_backup(lab)
    with superuser(lab) as connection:
        ids = [row[0] for row in connection.execute(_ENTRIES.encode(), {"tenant": tenant})]
        kept = {
            "library_entries": _rows(connection, "library_entries", "id", ids),
            "library_embeddings": _rows(connection, "library_embeddings", "entry_id", ids),
        }
        _keep(lab, name, kept)
        connection.execute(b"DELETE FROM library_entries WHERE id = ANY(%s)", [ids])


def put_back(lab: LabState, *, name: str) -> None:
    """Put the rows back as they were, stamps included, and end a copy that was restored."""
    end_copies(lab.folder)
    file = lab.folder / ASIDE / f"{name}.json"
    if not file.exists():
        return
    kept = json.loads(file.read_text(encoding="utf-8"))
    with superuser(lab) as connection, connection.transaction():
        # Else triggers would stamp the rows, and keys ask for an order.
        connection.execute("SET LOCAL session_replication_role = replica")
        for table, rows in kept.items():
            statement = sql.SQL(_PUT_BACK).format(table=sql.Identifier(table))
            connection.execute(statement, [json.dumps(rows)])
        connection.execute(_POINT_AGAIN.encode(), [json.dumps(kept["library_entries"])])
    file.unlink()


def await_backup(lab: LabState) -> None:
    """Wait for this night's backup, without which a loss could not be told from a beginning."""
    until(
        lambda: any("tables" in backup for backup in manifests(lab.folder).values()),
        within_s=_BACKUP_WITHIN_S,
        otherwise="No backup of the lab was taken",
    )


def _rows(connection: Connection, table: str, column: str, ids: list[object]) -> object:
    query = sql.SQL(_KEEP).format(sql.Identifier(table), sql.Identifier(column))
    row = connection.execute(query, [ids]).fetchone()
    return [] if row is None else row[0]


def _keep(lab: LabState, name: str, kept: dict[str, object]) -> None:
    if not any(kept.values()):
        raise LabError("There is nothing to delete; heal the lab first.")
    (lab.folder / ASIDE).mkdir(exist_ok=True)
    file = lab.folder / ASIDE / f"{name}.json"
    if file.exists():
        raise LabError(f"{name} is injected already; heal it first.")
    write_whole(file, json.dumps(kept))
