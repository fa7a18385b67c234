"""How copies are taken out, and how context is filled from what the row itself says."""

import uuid
from datetime import timedelta
from typing import Any, Final

from runbook_nb.errors import NothingDoneError
from runbook_nb.packs.control_plane.systems._database.owner import AS_OWNER
from runbook_nb.packs.control_plane.systems.event_rows._rows import COPIES
from runbook_nb.probes.calls import Systems, action
from runbook_nb.text.values import Json

# Beside the platform's schema, where no caller of its API reaches.
KEEP: Final = """
create schema if not exists runbook_kept
"""
KEEP_ROWS: Final = """
create table if not exists runbook_kept.telemetry_events (
    kept_by text not null, kept_at timestamptz not null default now(),
    event jsonb not null)
"""
REMOVE: Final = f"""
with copy as ({COPIES}),
removed as (
    delete from telemetry_events t using copy c where t.id = c.id
    returning to_jsonb(t) as event
)
insert into runbook_kept.telemetry_events (kept_by, event)
select %(label)s, event from removed
returning event ->> 'event_type' as event_type
"""
# A copy has an original: there must be one left for each that went.
ORPHANS: Final = """
select count(*)
from runbook_kept.telemetry_events k
where k.kept_by = %(label)s
  and not exists (
      select from telemetry_events t
      where t.mission_id = (k.event ->> 'mission_id')::uuid
        and t.event_type = k.event ->> 'event_type'
        and t.context = k.event -> 'context'
        and t.correlation_id is not distinct from k.event ->> 'correlation_id')
"""
PUT_BACK: Final = """
insert into telemetry_events
select e.*
from runbook_kept.telemetry_events k,
     jsonb_populate_record(null::public.telemetry_events, k.event) as e
where k.kept_by = %(label)s
on conflict (id) do nothing
returning id
"""
FORGET: Final = "delete from runbook_kept.telemetry_events where kept_by = %(label)s"
FILL: Final = """
update telemetry_events t
set context = jsonb_strip_nulls(jsonb_build_object(
        'mission_id', t.mission_id, 'tenantId', t.tenant_id, 'stage', t.stage, 'persona', p.name,
        'correlation_id', t.correlation_id, 'agent_name', t.agent_name,
        'context_filled', %(label)s::text))
from missions m
left join personas p on p.id = m.persona_id
where m.id = t.mission_id
  and t.context = '{}'
  and t.created_at > now() - %(window)s
returning t.event_type
"""
EMPTY: Final = """
update telemetry_events
set context = '{}'
where context ->> 'context_filled' = %(label)s
returning id
"""


@action(timeout_s=120, repeatable=True, contained=True)
def remove_copies(systems: Systems, *, window: timedelta) -> Json:
    """Move the copies out of telemetry_events, each first event stays; one transaction.

    They are kept in the schema ``runbook_kept``. Raises NothingDoneError where a copy has no
    original, or where there is none.
    """
    return _removed(systems, window, rollback=False)


@remove_copies.rehearsal
def _(systems: Systems, *, window: timedelta) -> Json:
    return _removed(systems, window, rollback=True)


@remove_copies.undo
def _(systems: Systems, result: Json, *, window: timedelta) -> Json:  # noqa: ARG001
    database = systems.database()
    with database.transaction():
        database.rows(AS_OWNER)
        back = len(database.rows(PUT_BACK, label=result["label"]))
        database.rows(FORGET, label=result["label"])
    return {"put back": back}


@action(timeout_s=120, repeatable=True, contained=True)
def fill_context(systems: Systems, *, window: timedelta) -> Json:
    """Fill empty contexts from the row's own columns and its mission; the payload stays lost."""
    return _fill(systems, window, rollback=False)


@fill_context.rehearsal
def _(systems: Systems, *, window: timedelta) -> Json:
    return _fill(systems, window, rollback=True)


@fill_context.undo
def _(systems: Systems, result: Json, *, window: timedelta) -> Json:  # noqa: ARG001
    with systems.database().transaction():
        return {"empty again": len(systems.database().rows(EMPTY, label=result["label"]))}


def _removed(systems: Systems, window: timedelta, *, rollback: bool) -> Json:
    database, label = systems.database(), _label(systems)
    with database.transaction(rollback=rollback):
        database.rows(AS_OWNER)
        database.rows(KEEP)
        database.rows(KEEP_ROWS)
        gone = database.rows(REMOVE, window=window, label=label)
        orphans = database.value(ORPHANS, label=label)
        if orphans or not gone:
            message = f"Nothing was removed: {len(gone)} copies, {orphans} without an original."
            raise NothingDoneError(message)
    return {"label": label, "moved to runbook_kept": len(gone), "kinds": _counted(gone)}


def _fill(systems: Systems, window: timedelta, *, rollback: bool) -> Json:
    database, label = systems.database(), _label(systems)
    with database.transaction(rollback=rollback):
        filled = database.rows(FILL, window=window, label=label)
    return {
        "label": label,
        "filled": len(filled),
        "payload that stays lost": _counted(filled),
    }


def _counted(rows: list[dict[str, Any]]) -> dict[str, int]:
    kinds = [row["event_type"] for row in rows]
    return {kind: kinds.count(kind) for kind in sorted(set(kinds))}


def _label(systems: Systems) -> str:
    return systems.attempt or str(uuid.uuid4())
