"""What became of the rows that the newest backup knew: gone, changed, purged too early."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from runbook_nb.packs.control_plane.systems._database.backup_files import moment
from runbook_nb.packs.control_plane.systems._database.row_lists import (
    ITS_OWN,
    RETENTION,
    TABLES,
    days_of,
    newest,
    read_list,
    rows_of,
)
from runbook_nb.probes.calls import Systems
from runbook_nb.probes.connections import Database

# What people remove and change one by one stays below these; what a script or a release does in
# one go does not. Rows of a mission that went with it count as one.
AT_ONCE: Final = 5
SHARE: Final = 0.1
CHANGED_AT_ONCE: Final = 10
CHANGED_SHARE: Final = 0.2
# A purge may run late or early by a day; a table that lost a fifth of what it must keep was robbed.
PURGED_SHARE: Final = 0.2
# Rows go with these: with a mission what names it, with an entry its embedding.
PARENTS: Final = ("missions", "library_entries")
OF_ENTRIES: Final = "library_embeddings"
# Whoever deletes on purpose says so in an event; it names the mission or the tenant.
SAID: Final = """
select context::text || coalesce(tenant_id::text, '') as said
from telemetry_events
where created_at > %(since)s
  and event_type ~ '(deleted|removed|erased|erasure|offboard)'
union all
select id::text || metadata::text
from tenants
where metadata::text ~* '(offboard|delet|erasure)'
"""


def losses(systems: Systems) -> list[dict[str, Any]]:
    """Return by table and tenant how many rows are gone, and whether in one go.

    A row that went with its mission is counted with it: of ``roots`` there are as many as somebody
    had to delete.
    """
    folder, backup = newest(systems)
    known = read_list(folder)["rows"]
    database = systems.database()
    said = [row["said"] for row in database.rows(SAID, since=moment(backup["started_at"]))]
    now = {name: _ids(database, name) for name in known}
    gone = {parent: set(known.get(parent, {})) - now.get(parent, set()) for parent in PARENTS}
    found = []
    for table, rows in known.items():
        for tenant, (count, roots) in _gone(table, known, now[table], gone).items():
            whole = sum(_tenant(table, known, each) == tenant for each in rows)
            planned = any(tenant in each for each in said) or (
                bool(roots) and all(any(identity in each for each in said) for identity in roots)
            )
            bulk = len(roots) >= AT_ONCE and len(roots) >= SHARE * whole and not planned
            found.append(
                {
                    "table": table,
                    "tenant": tenant,
                    "at the backup": whole,
                    "gone": count,
                    "of their own": len(roots),
                    "verdict": "planned" if planned else "lost" if bulk else "removed singly",
                }
            )
    said_of = {(row["table"], row["tenant"]): row["verdict"] for row in found}
    for row in found:
        # What hung on a mission or an entry went as that did.
        if not row["of their own"]:
            parent = "library_entries" if row["table"] == OF_ENTRIES else "missions"
            row["verdict"] = said_of.get((parent, row["tenant"]), row["verdict"])
    return sorted(found, key=lambda row: (row["verdict"] != "lost", -row["gone"]))


def changes(systems: Systems) -> list[dict[str, Any]]:
    """Return by table and tenant what one transaction changed of the rows that a backup knew."""
    folder, _ = newest(systems)
    listed = read_list(folder)
    database = systems.database()
    found = []
    for table in database.rows(TABLES):
        name, columns = table["name"], listed["columns"].get(table["name"])
        if not columns or not table["key"]:
            continue
        known = listed["rows"][name]
        if missing := sorted(set(columns) - set(table["columns"])):
            found.append({"table": name, "columns gone": missing, "changed": 0, "verdict": "known"})
            continue
        skipped = [*ITS_OWN, *(set(table["columns"]) - set(columns))]
        rows = rows_of(database, name, key=table["key"], skipped=skipped)
        found += _changed(name, known, rows)
    return sorted(found, key=lambda row: (row["verdict"] != "in one go", -row["changed"]))


def purged(systems: Systems) -> list[dict[str, Any]]:
    """Return what purged tables hold fewer, of days that retention keeps."""
    folder, backup = newest(systems)
    listed = read_list(folder)
    taken = moment(backup["started_at"]).date()
    database, found = systems.database(), []
    # What went with a mission is a loss of missions, and no purge.
    there = {"", *_ids(database, "missions")}
    for table, missions in listed["days"].items():
        _column, keep = RETENTION[table]
        oldest = datetime.now(UTC).date() - timedelta(days=keep - 1)
        now, whole, fewer = days_of(database, table), 0, 0
        for mission, days in missions.items():
            for day, rows in days.items() if mission in there else ():
                if oldest <= date.fromisoformat(day) < taken:
                    whole += rows
                    fewer += max(0, rows - now.get(mission, {}).get(day, 0))
        found.append(
            {
                "table": table,
                "kept by retention": f"{keep} d",
                "at the backup": whole,
                "fewer": fewer,
                "verdict": "purged too early" if fewer > PURGED_SHARE * max(whole, 1) else "kept",
            }
        )
    return sorted(found, key=lambda row: -row["fewer"])


def _ids(database: Database, table: str) -> set[str]:
    """Return the ids of a table's rows; a table that is gone has none."""
    key = next((row["key"] for row in database.rows(TABLES) if row["name"] == table), None)
    if key is None:
        return set()
    return {row["id"] for row in rows_of(database, table, key=key, skipped=ITS_OWN)}


def _gone(
    table: str, known: dict[str, dict[str, list[Any]]], now: set[str], gone: dict[str, set[str]]
) -> dict[str, tuple[int, list[str]]]:
    """Return by tenant how many rows are gone, and the ids of those that went by themselves."""
    counted: dict[str, tuple[int, list[str]]] = {}
    for identity, (_digest, mission, _tenant_id) in known[table].items():
        if identity in now:
            continue
        if table == OF_ENTRIES:
            went_along = identity in gone["library_entries"]
        else:
            went_along = table != "missions" and mission in gone["missions"]
        tenant = _tenant(table, known, identity)
        count, roots = counted.get(tenant, (0, []))
        counted[tenant] = (count + 1, roots if went_along else [*roots, identity])
    return counted


def _tenant(table: str, known: dict[str, dict[str, list[Any]]], identity: str) -> str:
    """Return whose row it is; an embedding is its entry's."""
    owner = (
        known["library_entries"].get(identity) if table == OF_ENTRIES else known[table][identity]
    )
    return str(owner[2]) if owner and owner[2] else "no tenant"


def _changed(
    table: str, known: dict[str, list[Any]], rows: list[dict[str, Any]]
) -> Iterator[dict[str, Any]]:
    """Yield what each transaction changed, by tenant."""
    whole = Counter(row["tenant"] or "no tenant" for row in rows)
    changed = Counter(
        (row["transaction"], row["tenant"] or "no tenant")
        for row in rows
        if row["id"] in known and known[row["id"]][0] != row["digest"]
    )
    for (transaction, tenant), count in changed.items():
        bulk = count >= CHANGED_AT_ONCE and count >= CHANGED_SHARE * whole[tenant]
        yield {
            "table": table,
            "tenant": tenant,
            "transaction": transaction,
            "rows": whole[tenant],
            "changed": count,
            "verdict": "in one go" if bulk else "one by one",
        }
