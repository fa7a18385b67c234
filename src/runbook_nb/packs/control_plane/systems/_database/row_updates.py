"""Whether rows of connections can be updated, read from the catalogue; nothing is tried."""

from typing import Any, Final

from runbook_nb.probes.connections import Database

# The trigger function writes a column; where that is missing, every update fails.
TRIGGERS: Final = """
select t.tgname as trigger, p.proname as function, t.tgenabled <> 'D' as enabled,
       exists (
           select from pg_attribute a
           where a.attrelid = t.tgrelid and a.attname = 'updated_at' and not a.attisdropped
       ) as has_column
from pg_trigger t
join pg_proc p on p.oid = t.tgfoid
where t.tgrelid = 'public.mission_connections'::regclass
  and not t.tgisinternal
  and p.prosrc ~* 'new\\.updated_at'
"""
MAY_UPDATE: Final = "select has_table_privilege('service_role', 'mission_connections', 'update')"


def may_update(database: Database) -> bool:
    """Tell whether the platform's role has the grant."""
    return bool(database.value(MAY_UPDATE))


def triggers_without_column(database: Database) -> list[dict[str, Any]]:
    """Return the triggers that make every update fail."""
    return [one for one in database.rows(TRIGGERS) if one["enabled"] and not one["has_column"]]
