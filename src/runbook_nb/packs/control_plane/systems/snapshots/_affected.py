"""What a snapshot holds: the affected rows, who took what out, and how the walls stood."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final

from runbook_nb.packs.control_plane.systems._database.exposures import (
    EXPORTS,
    MISFILED,
    UNREVIEWED,
)
from runbook_nb.packs.control_plane.systems._database.private_rows import SOURCES, private_places
from runbook_nb.probes.calls import Systems
from runbook_nb.probes.connections import Database

Line = dict[str, Any]
ROWS: Final = "select id::text, to_jsonb(t) as row from {table} t where id = any(%(ids)s::uuid[])"
# How the walls stood at that moment, by name.
WALLS: Final = """
select 'policy ' || tablename || '.' || policyname as name, to_jsonb(p) as row
from pg_policies p
where schemaname = 'public'
union all
select case relkind when 'r' then 'table ' else 'view ' end || relname,
       jsonb_build_object('acl', relacl::text, 'options', reloptions,
                          'row level security', relrowsecurity,
                          'definition', case when relkind in ('v', 'm')
                                        then pg_get_viewdef(oid) end)
from pg_class
where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v', 'm')
union all
select 'function ' || proname, jsonb_build_object('definition', pg_get_functiondef(oid))
from pg_proc
where pronamespace = 'public'::regnamespace and prokind = 'f'
union all
select 'bucket ' || id, to_jsonb(b) from storage.buckets b
order by 1
"""


def affected(systems: Systems, *, window: timedelta) -> Iterator[Line]:
    """Yield each line of a snapshot: a table or a kind, an id, and the row."""
    database = systems.database()
    private: dict[str, set[str]] = {}
    for place in private_places(database, tuple(SOURCES), window=window):
        private.setdefault(place.table, set()).add(place.id)
    for table, ids in sorted(private.items()):
        yield from _rows(database, table, ids, why="private data")
    misfiled: dict[str, set[str]] = {}
    for row in database.rows(MISFILED, window=window):
        misfiled.setdefault(row["table"], set()).add(row["id"])
    for table, ids in sorted(misfiled.items()):
        yield from _rows(database, table, ids - private.get(table, set()), why="foreign tenant")
    withheld = systems.setting("supabase_storage", "withheld_bucket")
    for row in database.rows(UNREVIEWED, withheld=withheld):
        yield {"table": "unreviewed evidence", "id": row["evidence"], "row": _plain(row)}
    for row in database.rows(EXPORTS, window=window):
        yield {"table": "exports", "id": row["id"], "row": _plain(row)}
    for row in database.rows(WALLS):
        yield {"table": "walls", "id": row["name"], "row": row["row"]}


def scope_of(lines: list[Line]) -> dict[str, Any]:
    """Say in counts and ids what was affected, whose it is, and from when to when."""
    kinds = sorted({line["table"] for line in lines} - {"walls"})
    return {
        kind: _scope([line["row"] for line in lines if line["table"] == kind]) for kind in kinds
    }


def _rows(database: Database, table: str, ids: set[str], *, why: str) -> Iterator[Line]:
    for row in database.rows(ROWS.format(table=table), ids=sorted(ids)):
        yield {"table": table, "id": row["id"], "row": {**row["row"], "sealed_for": why}}


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value.isoformat() if hasattr(value, "isoformat") else value
        for name, value in row.items()
    }


def _scope(rows: list[dict[str, Any]]) -> dict[str, Any]:
    times = sorted(str(at) for row in rows if (at := _at(row)))
    return {
        "rows": len(rows),
        "missions": len({row["mission_id"] for row in rows if row.get("mission_id")}),
        "tenants": sorted({row["tenant_id"] for row in rows if row.get("tenant_id")}),
        "from": times[0] if times else None,
        "to": times[-1] if times else None,
        "people": len({actor for row in rows for actor in _actors(row)}),
    }


def _at(row: dict[str, Any]) -> Any:
    names = ("created_at", "at", "first", "submitted_at", "occurred_at", "connected_at")
    return next((row[name] for name in names if row.get(name)), None)


def _actors(row: dict[str, Any]) -> list[str]:
    return [*(row.get("actors") or ()), *([row["actor"]] if row.get("actor") else [])]
