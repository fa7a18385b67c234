"""How gaps are filled from other records, and how that is taken back."""

import json
import uuid
from datetime import timedelta
from typing import Any, Final

from runbook_nb.errors import NothingDoneError
from runbook_nb.packs.control_plane.systems.event_gaps._gaps import (
    calls,
    gaps,
    unfilled,
    untold,
)
from runbook_nb.probes.calls import Systems, action
from runbook_nb.probes.connections import Database
from runbook_nb.text.values import Json

# Each event carries its record's time, and an id that follows from its record.
FILL: Final = """
insert into telemetry_events
       (id, mission_id, tenant_id, agent_name, stage, event_type, status, context, correlation_id,
        created_at)
select (e ->> 'id')::uuid, m.id, m.tenant_id, e ->> 'agent_name', (e ->> 'stage')::mission_stage,
       e ->> 'event_type', (e ->> 'status')::telemetry_level,
       e -> 'context' || jsonb_build_object(
           'mission_id', m.id, 'tenantId', m.tenant_id, 'stage', e ->> 'stage',
           'correlation_id', e ->> 'source_id', 'backfilled', true,
           'source', e ->> 'source', 'source_id', e ->> 'source_id', 'backfill', %(label)s::text),
       e ->> 'source_id', (e ->> 'at')::timestamptz
from jsonb_array_elements(%(events)s::jsonb) as e
join missions m on m.id = (e ->> 'mission_id')::uuid
on conflict (id) do nothing
returning event_type
"""
TAKE_BACK: Final = """
delete from telemetry_events
where context ->> 'backfill' = %(label)s
  and created_at >= %(since)s::timestamptz
  and created_at <= %(until)s::timestamptz
returning id
"""


@action(timeout_s=600, repeatable=True, contained=True)
def backfill(systems: Systems, *, window: timedelta, batch: int = 500) -> Json:
    """Fill the gaps of the window from the records that still tell of them, in batches.

    Every batch is committed on its own and listed; a second run inserts nothing. Raises
    NothingDoneError where no record can fill a gap. Returns what cannot be filled, with its window.
    """
    return _filled(systems.database(), window, batch, label=_label(systems), rollback=False)


@backfill.rehearsal
def _(systems: Systems, *, window: timedelta, batch: int = 500) -> Json:
    return _filled(systems.database(), window, batch, label="rehearsal", rollback=True)


@backfill.undo
def _(systems: Systems, result: Json, *, window: timedelta, batch: int = 500) -> Json:  # noqa: ARG001
    database = systems.database()
    with database.transaction():
        # No claim may delete telemetry: only its owner and roles that pass the policies by.
        taken = [
            len(database.rows(TAKE_BACK, label=result["label"], since=one["from"], until=one["to"]))
            for one in result["gaps"]
        ]
    return {"taken back": sum(taken)}


def event_id(row: dict[str, Any]) -> str:
    """Return the id of the event that a record tells: always the same one."""
    return str(
        uuid.uuid5(uuid.NAMESPACE_URL, f"{row['source']}/{row['source_id']}/{row['event_type']}")
    )


def _label(systems: Systems) -> str:
    return systems.attempt or str(uuid.uuid4())


def _filled(
    database: Database, window: timedelta, batch: int, *, label: str, rollback: bool
) -> dict[str, Any]:
    found = calls(database, window)
    windows, rows = gaps(database, found), untold(database, found)
    if not rows:
        message = "No other record tells of the gaps, so nothing can be filled."
        raise NothingDoneError(message)
    batches = []
    for start in range(0, len(rows), batch):
        part = rows[start : start + batch]
        with database.transaction(rollback=rollback):
            stored = database.rows(FILL, events=_as_json(part), label=label)
        progress = f"{start + len(part)} of {len(rows)}"
        batches.append({"records": progress, "inserted": len(stored), "up to": part[-1]["at"]})
    return {
        "label": label,
        "gaps": [{"from": since, "to": until} for since, until in windows],
        "batches": batches,
        "inserted": sum(one["inserted"] for one in batches),
        "cannot be filled in these gaps": unfilled(database),
    }


def _as_json(rows: list[dict[str, Any]]) -> str:
    return json.dumps([{**row, "id": event_id(row)} for row in rows], default=str)
