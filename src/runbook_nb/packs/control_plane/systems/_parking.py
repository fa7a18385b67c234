"""The rows of parked missions: which there are, how they are parked, and how they stand again.

Whoever parks has a key of its own, so that nobody lets go on what another one holds back.
"""

from typing import Any, Final

from runbook_nb.probes.connections import Database

KEY: Final = "composio_parking"
RESUMED: Final = "composio_resumed"
REASON: Final = "Composio cannot serve this mission; parked by the on-call"

RUNNING: Final = """
select m.id::text as mission_id, m.title, t.slug as tenant, m.tenant_id::text, m.priority,
       jsonb_array_length(coalesce(s.state -> 'waiting_actions', '[]')) as waiting,
       coalesce(
           (select array_agg(x.toolkit_slug order by x.toolkit_slug)
            from toolkit_selections x where x.mission_id = m.id),
           '{}'
       ) as toolkits
from missions m
join tenants t on t.id = m.tenant_id
join mission_sessions s on s.mission_id = m.id and s.status = 'active'
where m.status = 'in_progress'
  and m.current_stage = 'Execute'
order by m.id
"""
# Urgent missions go on first, then those that were at work the longest.
PARK: Final = """
with held as (
    select m.id, m.status, m.readiness, m.priority, st.status as stage_status, st.started_at,
           st.readiness_state as stage_readiness, st.blocking_reason
    from missions m
    join mission_stage_status st on st.mission_id = m.id and st.stage = 'Execute'
    where m.id = any(%(missions)s::uuid[])
      and m.status = 'in_progress'
      and m.current_stage = 'Execute'
    for update of m, st
),
chosen as (
    select held.*,
           row_number() over (
               order by array_position(array['urgent', 'high', 'normal', 'low'], priority),
                        started_at, id
           ) as place
    from held
),
noted as (
    insert into mission_metadata (mission_id, metadata_key, metadata_value, source_stage)
    select id, %(key)s, jsonb_build_object(
               'place', place, 'parked_at', now(), 'status', status, 'readiness', readiness,
               'stage_status', stage_status, 'stage_readiness', stage_readiness,
               'blocking_reason', blocking_reason, 'attempt', %(attempt)s::text),
           'Execute'
    from chosen
    on conflict (mission_id, metadata_key) do update set metadata_value = excluded.metadata_value
),
stage as (
    update mission_stage_status st
    set status = 'blocked', readiness_state = 'degraded', blocking_reason = %(reason)s
    from chosen
    where st.mission_id = chosen.id and st.stage = 'Execute'
)
update missions m
set status = 'blocked', readiness = 'degraded'
from chosen
where m.id = chosen.id
returning m.id::text as mission_id, m.title, chosen.place
"""
PARKED: Final = """
select m.id::text as mission_id, m.title, t.slug as tenant, m.tenant_id::text, m.priority,
       (p.metadata_value ->> 'place')::int as place,
       (p.metadata_value ->> 'parked_at')::timestamptz as parked_at,
       s.id::text as session_id, coalesce(s.state -> 'waiting_actions', '[]') as waiting
from mission_metadata p
join missions m on m.id = p.mission_id and m.status = 'blocked'
join tenants t on t.id = m.tenant_id
left join mission_sessions s on s.mission_id = m.id and s.status = 'active'
where p.metadata_key = %(key)s
order by parked_at, place, m.id
"""
UNPARK: Final = """
with chosen as (
    delete from mission_metadata
    where metadata_key = %(key)s
      and mission_id = any(%(missions)s::uuid[])
    returning mission_id, metadata_value as was
),
noted as (
    insert into mission_metadata (mission_id, metadata_key, metadata_value, source_stage)
    select mission_id, %(resumed_key)s, jsonb_build_object('resumed_at', now()), 'Execute'
    from chosen
    where %(resumed)s
    on conflict (mission_id, metadata_key) do update set metadata_value = excluded.metadata_value
),
stage as (
    update mission_stage_status st
    set status = (was ->> 'stage_status')::stage_progress_state,
        readiness_state = (was ->> 'stage_readiness')::readiness_state,
        blocking_reason = was ->> 'blocking_reason'
    from chosen
    where st.mission_id = chosen.mission_id and st.stage = 'Execute'
)
update missions m
set status = (was ->> 'status')::mission_status, readiness = (was ->> 'readiness')::readiness_state
from chosen
where m.id = chosen.mission_id
  and m.status = 'blocked'
returning m.id::text as mission_id, m.title
"""


def park(
    database: Database,
    missions: list[str],
    *,
    attempt: str,
    key: str = KEY,
    reason: str = REASON,
) -> list[dict[str, Any]]:
    """Block missions and note how they stood; returns them in the order in which they go on."""
    rows = database.rows(PARK, missions=missions, key=key, reason=reason, attempt=attempt)
    return sorted(rows, key=lambda row: row["place"])


def unpark(
    database: Database, missions: list[str], *, resumed: bool, key: str = KEY
) -> list[dict[str, Any]]:
    """Let missions stand as they stood; with ``resumed``, what failed before counts no more."""
    return database.rows(UNPARK, missions=missions, key=key, resumed_key=RESUMED, resumed=resumed)


def running(database: Database) -> list[dict[str, Any]]:
    """Return the missions at work in Execute."""
    return database.rows(RUNNING)


def parked(database: Database) -> list[dict[str, Any]]:
    """Return the parked missions with the calls that wait, in the order in which they go on."""
    return database.rows(PARKED, key=KEY)
