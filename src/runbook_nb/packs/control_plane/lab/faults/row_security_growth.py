"""A fault of row level security in which no policy is wrong: there are too many rows for it."""

from typing import Final

from runbook_nb.errors import LabError
from runbook_nb.packs.control_plane.lab.faults.fault import Fault
from runbook_nb.packs.control_plane.lab.faults.outside import superuser
from runbook_nb.packs.control_plane.lab.state import LabState

# The policy costs 4 µs a row and more, so that the board of all of them takes 320 ms at least.
_ROWS: Final = 80_000
_TITLE: Final = "Imported from the old planner"
_IMPORT: Final = """
insert into missions
select copy.*
  from missions as original,
       generate_series(1, %(rows)s) as number,
       jsonb_populate_record(original, jsonb_build_object(
           'id', gen_random_uuid(), 'title', %(title)s::text, 'status', 'draft',
           'current_stage', 'Home', 'updated_at', now() - number * interval '1 second')) as copy
 where original.id = (
     select mission.id from missions as mission
       join tenants on tenants.id = mission.tenant_id and slug = 'northwind'
      order by mission.id limit 1)
"""
_TAKE_BACK: Final = "delete from missions where title = %(title)s"


def _import_missions(lab: LabState) -> None:
    """Have a tenant import its old plans: a policy reads the claims once for each of the rows."""
    with superuser(lab) as connection:
        with connection.transaction():
            # Else triggers would begin each of them, as if its owner had just made it.
            connection.execute("set local session_replication_role = replica")
            values = {"title": _TITLE, "rows": _ROWS}
            if connection.execute(_IMPORT.encode(), values).rowcount != _ROWS:
                raise LabError("There is no mission to copy; heal the lab first.")
        connection.execute("analyze missions")


def _take_import_back(lab: LabState) -> None:
    with superuser(lab) as connection:
        with connection.transaction():
            # Nothing hangs on a draft that nobody opened, so no key has to look for it.
            connection.execute("set local session_replication_role = replica")
            taken = connection.execute(_TAKE_BACK.encode(), {"title": _TITLE}).rowcount
        if taken:
            # In a file of its own the table is not the one of which the log saw so much deleted:
            # else a restore to just before the damage would take this for it.
            connection.execute("vacuum (full, analyze) missions")


FAULTS: Final = (
    Fault(
        name="missions_imported",
        title="A tenant imported eighty thousand drafts; a policy reads the claims for each one",
        inject=_import_missions,
        heal=_take_import_back,
    ),
)
