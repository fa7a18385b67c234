"""How widely the library's index is searched, for the roles that search it.

A setting of the search function goes before one of a role, and that before one of the database.
"""

from typing import Any, Final

from runbook_nb.probes.connections import Database

# Roles that search: those of the API, and the agent's.
ROLES: Final = ("authenticator", "anon", "authenticated", "service_role", "agent_service")
FUNCTION: Final = "search_library_entries"
# What pgvector takes where nobody says otherwise; an answer never has more rows than the first.
DEFAULTS: Final = {"hnsw.ef_search": "40", "hnsw.iterative_scan": "off"}
SAID: Final = """
select 'role' as kind, r.rolname::text as name, s.setdatabase <> 0 as here, s.setconfig as said
from pg_db_role_setting s
join pg_roles r on r.oid = s.setrole
where r.rolname = any(%(roles)s)
  and s.setdatabase in (0, (select oid from pg_database where datname = current_database()))
union all
select 'database', current_database()::text, true, s.setconfig
from pg_db_role_setting s
where s.setrole = 0
  and s.setdatabase in (0, (select oid from pg_database where datname = current_database()))
union all
select 'function', p.proname::text, true, p.proconfig
from pg_proc p
where p.pronamespace = 'public'::regnamespace and p.proname = %(function)s
order by kind, name, here desc
"""


def said(database: Database) -> list[dict[str, Any]]:
    """Return what is said of the search's settings, and for whom."""
    rows = database.rows(SAID, roles=list(ROLES), function=FUNCTION)
    found = []
    for row in rows:
        pairs = dict(each.split("=", 1) for each in row["said"] or ())
        own = {name: value for name, value in pairs.items() if name in DEFAULTS}
        if own:
            found.append({"kind": row["kind"], "name": row["name"], **own})
    return found


def effective(database: Database) -> dict[str, str]:
    """Return the settings of the role that searches most narrowly."""
    rows = said(database)

    def of(kind: str) -> list[dict[str, Any]]:
        return [row for row in rows if row["kind"] == kind]

    base = {**DEFAULTS, **_merged(of("database"))}
    roles = [{**base, **_merged([row])} for row in of("role")] or [base]
    narrowest = min(roles, key=lambda one: int(one["hnsw.ef_search"]))
    return {**narrowest, **_merged(of("function"))}


def apply(database: Database, settings: dict[str, str]) -> None:
    """Search with these settings until the transaction ends."""
    for name, value in settings.items():
        database.rows("select set_config(%(name)s, %(value)s, true)", name=name, value=value)


def _merged(rows: list[dict[str, Any]]) -> dict[str, str]:
    return {name: row[name] for row in rows for name in DEFAULTS if name in row}
