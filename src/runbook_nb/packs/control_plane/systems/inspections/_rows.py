"""The rows of inspections: what ended, what was lost, and what is on hold."""

import json
from datetime import timedelta
from typing import Any, Final

from runbook_nb.packs.control_plane.systems.inspections._live import Live, Pair, pair
from runbook_nb.probes.connections import Database

HOLD: Final = "inspection_hold"
SCOPE: Final = "inspection_scope"
TIMEOUT: Final = "INSPECTION_TIMEOUT"

# A mission that was stopped, or has left Prepare, waits for no inspection.
_IN_PREPARE: Final = """
missions m
join tenants t on t.id = m.tenant_id
join mission_stage_status s on s.mission_id = m.id and s.stage = 'Prepare'
"""
_WAITS: Final = "m.current_stage = 'Prepare' and m.status = 'in_progress'"

# The newest end of each pair; a later one that went well is what counts.
ENDED: Final = f"""
select distinct on (m.id, c.toolkit_slug)
       m.id::text as mission_id, m.title, t.slug as tenant, c.toolkit_slug as toolkit,
       c.details ->> 'error' as error, (c.details ->> 'rows_wanted')::int as rows_wanted,
       (c.details ->> 'queued_s')::float as queued_s,
       (c.details ->> 'reading_s')::float as reading_s, c.created_at as ended_at
from {_IN_PREPARE}
join data_inspection_checks c on c.mission_id = m.id and c.details ? 'inspection_id'
left join mission_metadata h on h.mission_id = m.id and h.metadata_key = 'inspection_hold'
where {_WAITS}
  and c.created_at > now() - %(window)s
  and not coalesce(h.metadata_value -> 'toolkits' ? c.toolkit_slug, false)
order by m.id, c.toolkit_slug, c.created_at desc
"""
# A toolkit whose Connect Link was not followed yet waits for its customer, and for no inspection.
# A stage that has all its checks and did not end has lost its last inspection, whichever it was.
WAITING: Final = f"""
with asked as (
    select m.id::text as mission_id, m.title, t.slug as tenant, x.toolkit_slug as toolkit,
           s.started_at,
           round(extract(epoch from clock_timestamp() - s.started_at))::int as waits_s,
           exists (
               select from mission_connections c
               where c.mission_id = m.id and c.toolkit_slug = x.toolkit_slug
                 and c.status = 'initiated') as for_consent,
           exists (
               select from data_inspection_checks c
               where c.mission_id = m.id and c.toolkit_slug = x.toolkit_slug
                 and c.created_at >= s.started_at) as checked
    from {_IN_PREPARE}
    join toolkit_selections x on x.mission_id = m.id
    left join mission_metadata h on h.mission_id = m.id and h.metadata_key = 'inspection_hold'
    where {_WAITS}
      and s.status = 'in_progress'
      and s.started_at < clock_timestamp() - %(longer_than)s
      and not coalesce(h.metadata_value -> 'toolkits' ? x.toolkit_slug, false)
),
weighed as (
    select asked.*, bool_and(checked) over (partition by mission_id) as all_checked from asked
)
select mission_id, title, tenant, toolkit, started_at, waits_s, all_checked
from weighed
where all_checked or not (checked or for_consent)
order by started_at, mission_id, toolkit
"""
HELD: Final = """
select m.id::text as mission_id, m.title, t.slug as tenant, h.metadata_value as hold,
       (h.metadata_value ->> 'held_at')::timestamptz as held_at
from mission_metadata h
join missions m on m.id = h.mission_id
join tenants t on t.id = m.tenant_id
where h.metadata_key = %(key)s
order by held_at, m.id
"""
# What the inspections read within the window, the newest calls of each toolkit.
PAGES: Final = """
select toolkit, log_id, latency_ms, retries, occurred_at
from (
    select a.toolkit, a.outcome ->> 'log_id' as log_id, a.latency_ms, a.retries, a.occurred_at,
           row_number() over (partition by a.toolkit order by a.occurred_at desc) as place
    from composio_audit_events a
    left join mission_metadata h
      on h.mission_id = a.mission_id and h.metadata_key = 'inspection_hold'
    where a.outcome ? 'inspection_id'
      and a.status = 'success'
      and a.occurred_at > now() - %(window)s
      and not coalesce(h.metadata_value -> 'toolkits' ? a.toolkit, false)
) as placed
where place <= %(newest)s
order by occurred_at desc
"""
CALLS: Final = """
select a.mission_id::text, t.slug as tenant, a.toolkit, a.action, a.occurred_at,
       a.outcome ->> 'log_id' as log_id
from composio_audit_events a
left join tenants t on t.id = a.tenant_id
where a.outcome ? 'inspection_id'
  and a.occurred_at > now() - %(window)s
order by a.occurred_at desc
"""
_HOLD: Final = """
with stood as (
    select s.mission_id, s.status, s.readiness_state, s.coverage_percent, s.blocking_reason
    from mission_stage_status s
    where s.mission_id = %(mission)s::uuid and s.stage = 'Prepare'
    for update
),
noted as (
    insert into mission_metadata (mission_id, metadata_key, metadata_value, source_stage)
    select mission_id, %(key)s,
           jsonb_build_object('toolkits', to_jsonb(%(toolkits)s::text[]), 'held_at', now(),
                              'stage_status', status, 'stage_readiness', readiness_state,
                              'coverage', coverage_percent, 'reason', blocking_reason),
           'Prepare'
    from stood
    on conflict (mission_id, metadata_key) do update
    set metadata_value = mission_metadata.metadata_value || jsonb_build_object(
            'held_at', now(),
            'toolkits', (
                select jsonb_agg(distinct each)
                from jsonb_array_elements(mission_metadata.metadata_value -> 'toolkits'
                                          || excluded.metadata_value -> 'toolkits') as each))
)
update mission_stage_status s
set status = 'blocked', readiness_state = 'needs_data', blocking_reason = %(reason)s
from stood
where s.mission_id = stood.mission_id and s.stage = 'Prepare'
returning s.mission_id::text as mission_id
"""
_RELEASE: Final = """
with hold as (
    delete from mission_metadata
    where mission_id = %(mission)s::uuid and metadata_key = %(key)s
    returning mission_id
)
update mission_stage_status s
set status = 'in_progress', readiness_state = 'unknown', coverage_percent = null,
    blocking_reason = null, started_at = clock_timestamp()
from hold
where s.mission_id = hold.mission_id and s.stage = 'Prepare'
returning s.mission_id::text as mission_id
"""
_BEGIN_STAGE: Final = """
with stood as (
    select s.id, to_jsonb(s) as was
    from mission_stage_status s
    where s.mission_id = any(%(missions)s::uuid[]) and s.stage = 'Prepare'
    for update
)
update mission_stage_status s
set status = 'in_progress', readiness_state = 'unknown', coverage_percent = null,
    blocking_reason = null, started_at = clock_timestamp()
from stood
where s.id = stood.id
returning s.mission_id::text as mission_id, stood.was
"""
_STAGE_BACK: Final = """
update mission_stage_status s
set status = (was ->> 'status')::stage_progress_state,
    readiness_state = (was ->> 'readiness_state')::readiness_state,
    coverage_percent = (was ->> 'coverage_percent')::numeric,
    blocking_reason = was ->> 'blocking_reason',
    started_at = (was ->> 'started_at')::timestamptz
from jsonb_array_elements(%(stages)s::jsonb) as stage (was)
where s.id = (was ->> 'id')::uuid
returning s.mission_id::text as mission_id
"""
_NARROW: Final = """
with had as (
    select metadata_value as was from mission_metadata
    where mission_id = %(mission)s::uuid and metadata_key = %(key)s
),
noted as (
    insert into mission_metadata (mission_id, metadata_key, metadata_value, source_stage)
    values (%(mission)s::uuid, %(key)s, jsonb_build_object('sample_rows', %(rows)s::int), 'Prepare')
    on conflict (mission_id, metadata_key) do update set metadata_value = excluded.metadata_value
)
select %(mission)s::text as mission_id, (select was from had) as was
"""
_WIDEN: Final = """
update mission_metadata
set metadata_value = %(was)s::jsonb
where mission_id = %(mission)s::uuid and metadata_key = %(key)s
"""
_UNSCOPE: Final = """
delete from mission_metadata where mission_id = %(mission)s::uuid and metadata_key = %(key)s
"""


def timed_out(
    database: Database, under_way: list[Live], *, window: timedelta
) -> list[dict[str, Any]]:
    """Return the toolkits of missions whose newest inspection timed out within the window.

    One that is inspected again counts no more.
    """
    busy = {pair(one) for one in under_way}
    rows = database.rows(ENDED, window=window)
    return [row for row in rows if row["error"] == TIMEOUT and pair(row) not in busy]


def lost(
    database: Database, under_way: list[Live], *, longer_than: timedelta
) -> list[dict[str, Any]]:
    """Return the missions' toolkits that wait for an inspection that no machine has."""
    busy = {pair(one) for one in under_way}
    missions = {mission for mission, _toolkit in busy}
    rows = database.rows(WAITING, longer_than=longer_than)
    return [
        row
        for row in rows
        if pair(row) not in busy and not (row["all_checked"] and row["mission_id"] in missions)
    ]


def held(database: Database) -> list[dict[str, Any]]:
    """Return the missions whose inspection is on hold, the longest first."""
    return database.rows(HELD, key=HOLD)


def hold(database: Database, mission: str, toolkits: list[str]) -> None:
    """Put toolkits of a mission on hold and note how its stage stood."""
    reason = f"The inspection of {', '.join(toolkits)} is on hold: the partner is slow"
    database.rows(_HOLD, mission=mission, toolkits=toolkits, key=HOLD, reason=reason)


def release(database: Database, mission: str) -> None:
    """End a mission's hold; its stage waits for an inspection again."""
    database.rows(_RELEASE, mission=mission, key=HOLD)


def begin_stages(database: Database, pairs: list[Pair]) -> list[dict[str, Any]]:
    """Have the missions' stage wait for an inspection from now on; returns how each stood."""
    missions = sorted({mission for mission, _toolkit in pairs})
    return database.rows(_BEGIN_STAGE, missions=missions)


def put_stages_back(database: Database, stages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Let stages stand as they stood."""
    return database.rows(_STAGE_BACK, stages=json.dumps([one["was"] for one in stages]))


def narrow(database: Database, mission: str, *, rows: int) -> dict[str, Any]:
    """Have a mission's inspections read so many rows; returns the scope that it had."""
    return database.row(_NARROW, mission=mission, rows=rows, key=SCOPE)


def widen(database: Database, scope: dict[str, Any]) -> None:
    """Give a mission the scope that it had."""
    if scope["was"] is None:
        database.rows(_UNSCOPE, mission=scope["mission_id"], key=SCOPE)
    else:
        database.rows(_WIDEN, mission=scope["mission_id"], was=json.dumps(scope["was"]), key=SCOPE)
