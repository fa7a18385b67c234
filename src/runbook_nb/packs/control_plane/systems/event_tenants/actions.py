"""How events are filed where they belong."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from runbook_nb.packs.control_plane.systems._database.exposures import MISFILED
from runbook_nb.packs.control_plane.systems._database.owner import AS_OWNER
from runbook_nb.packs.control_plane.systems._database.snapshot_files import demand_sealed
from runbook_nb.probes.calls import Systems, action
from runbook_nb.probes.connections import Database
from runbook_nb.text.values import Json

FILE: Final = "update {table} set tenant_id = %(tenant)s::uuid where id = any(%(ids)s::uuid[])"
TABLES: Final = ("telemetry_events", "composio_audit_events", "workspace_stream_sessions")


@action(timeout_s=60, repeatable=True, contained=True)
def set_right(systems: Systems, *, window: timedelta) -> Json:
    """File each row under its mission's tenant, in one transaction.

    Only rows that are in the newest sealed snapshot are changed; raises NothingDoneError else.
    """
    database = systems.database()
    with database.transaction():
        database.rows(AS_OWNER)
        rows = database.rows(MISFILED, window=window)
        snapshot = demand_sealed(systems, {(row["table"], row["id"]) for row in rows})
        _file(database, rows, by="owner")
    return {"filed": _counted(rows), "sealed in": snapshot.folder.name}


@set_right.rehearsal
def _(systems: Systems, *, window: timedelta) -> Json:
    database = systems.database()
    with database.transaction(rollback=True):
        database.rows(AS_OWNER)
        rows = database.rows(MISFILED, window=window)
        _file(database, rows, by="owner")
        left = len(database.rows(MISFILED, window=window))
    return {"would file": _counted(rows), "rows under a foreign tenant after": left}


@set_right.undo
def _(systems: Systems, result: Json, *, window: timedelta) -> Json:  # noqa: ARG001
    database = systems.database()
    snapshot = demand_sealed(systems, ())
    counted = {each["table"] for each in result["filed"]}
    kept = [
        {"table": table, "id": id_, "was": row["tenant_id"]}
        for (table, id_), row in snapshot.rows().items()
        if table in counted and row.get("sealed_for") == "foreign tenant"
    ]
    with database.transaction():
        database.rows(AS_OWNER)
        _file(database, kept, by="was")
    return {"rows under their former tenant": len(kept)}


def _file(database: Database, rows: Sequence[Mapping[str, Any]], *, by: str) -> None:
    groups: dict[tuple[str, str], list[str]] = defaultdict(list)
    for row in rows:
        groups[row["table"], row[by]].append(row["id"])
    for (table, tenant), ids in groups.items():
        if table in TABLES:
            database.rows(FILE.format(table=table), tenant=tenant, ids=ids)


def _counted(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [
        {"table": table, "rows": sum(row["table"] == table for row in rows)}
        for table in TABLES
        if any(row["table"] == table for row in rows)
    ]
