"""How secrets and personal data are taken out of rows."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

from runbook_nb.errors import NothingDoneError
from runbook_nb.packs.control_plane.systems._database.owner import AS_OWNER
from runbook_nb.packs.control_plane.systems._database.private_rows import (
    SOURCES,
    PrivatePlace,
    private_places,
)
from runbook_nb.packs.control_plane.systems._database.snapshot_files import demand_sealed
from runbook_nb.probes.calls import Systems, action
from runbook_nb.probes.connections import Database
from runbook_nb.text.values import Json

# A text changes by places alone: what it says is in no statement, and so in no log and no record.
IN_JSON: Final = """
update {table}
set {column} = jsonb_set({column}, %(path)s::text[], to_jsonb(overlay(
        {column} #>> %(path)s::text[] placing %(mark)s from %(first)s for %(length)s)))
where id = %(id)s::uuid
  and char_length({column} #>> %(path)s::text[]) = %(chars)s
"""
IN_TEXT: Final = """
update {table}
set {column} = overlay({column} placing %(mark)s from %(first)s for %(length)s)
where id = %(id)s::uuid
  and char_length({column}) = %(chars)s
"""
LENGTH: Final = {
    True: "select char_length({column} #>> %(path)s::text[]) from {table} where id = %(id)s::uuid",
    False: "select char_length({column}) from {table} where id = %(id)s::uuid",
}
SAY_SO: Final = """
update telemetry_events
set context = context || '{"redaction_applied": true}'
where id = any(%(ids)s::uuid[])
"""
# Sources are scanned for a pattern; one row in two that matches is a pattern that errs.
SHARE: Final = 0.5
COUNT: Final = "select count(*) from {table}"


@action(timeout_s=120, irreversible=True, contained=True)
def redact(systems: Systems, *, window: timedelta) -> Json:
    """Put the platform's marks in the place of secrets and personal data, in one transaction.

    Only rows that are in the newest sealed snapshot are changed. Raises NothingDoneError where one
    is not, or where more than half of a table would be changed: then the pattern errs.
    """
    return _redact(systems, window)


@redact.rehearsal
def _(systems: Systems, *, window: timedelta) -> Json:
    places = private_places(systems.database(), tuple(SOURCES), window=window)
    return {"would redact": _counted(places), "only if": "each row is in the newest snapshot"}


def _redact(systems: Systems, window: timedelta) -> Json:
    database = systems.database()
    with database.transaction():
        database.rows(AS_OWNER)
        places = private_places(database, tuple(SOURCES), window=window)
        snapshot = demand_sealed(systems, {(place.table, place.id) for place in places})
        _demand_few(database, places)
        for place in places:
            _replace(database, place)
        told = {place.id for place in places if place.table == "telemetry_events"}
        database.rows(SAY_SO, ids=sorted(told))
        left = len(private_places(database, tuple(SOURCES), window=window))
    return {
        "redacted": _counted(places),
        "texts with private data after": left,
        "sealed in": snapshot.folder.name,
    }


def _replace(database: Database, place: PrivatePlace) -> None:
    names = {"table": place.table, "column": place.column}
    is_json = place.path is not None
    found = {"id": place.id, **({"path": list(place.path or ())} if is_json else {})}
    # From the last to the first, so that the places before stay where they are.
    for span in reversed(place.spans):
        chars = database.value(LENGTH[is_json].format(**names), **found)
        database.rows(
            (IN_JSON if is_json else IN_TEXT).format(**names),
            **found,
            mark=span.mark,
            first=span.start + 1,
            length=span.end - span.start,
            chars=chars,
        )


def _demand_few(database: Database, places: Sequence[PrivatePlace]) -> None:
    for table in sorted({place.table for place in places}):
        rows = len({place.id for place in places if place.table == table})
        of = database.value(COUNT.format(table=table))
        if rows > max(20, SHARE * of):
            message = (
                f"{rows:,} of {of:,} rows of {table} would be changed: that many are a pattern "
                "that errs, or another failure. Have Security look at the snapshot."
            )
            raise NothingDoneError(message)


def _counted(places: Sequence[PrivatePlace]) -> list[dict[str, Any]]:
    where = sorted({place.where for place in places})
    return [
        {
            "where": one,
            "rows": len({place.id for place in places if place.where == one}),
            "stretches": sum(len(place.spans) for place in places if place.where == one),
        }
        for one in where
    ]
