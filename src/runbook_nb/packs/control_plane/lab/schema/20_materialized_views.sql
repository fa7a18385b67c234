-- The five analytics relations, filled once a day, each with the key that identifies a row.

create materialized view executive_summary_mv as
select
    missions.tenant_id,
    date_trunc('week', missions.created_at) as week,
    count(*) filter (where missions.status = 'completed') as completed_missions,
    count(*) filter (where missions.status in ('in_progress', 'ready')) as active_missions,
    avg(extract(epoch from missions.completed_at - missions.created_at) / 3600)
        as avg_time_to_complete_hours,
    count(distinct missions.persona_id) as persona_count
from missions
group by missions.tenant_id, date_trunc('week', missions.created_at);

create unique index executive_summary_pk on executive_summary_mv (tenant_id, week);

-- Kept as the platform has it: three joins at once multiply each other's counts.
create materialized view governance_insights_mv as
select
    missions.tenant_id,
    date_trunc('day', progress.updated_at) as day,
    count(*) filter (where progress.status = 'blocked') as blocked_stages,
    count(*) filter (where progress.status = 'ready') as ready_stages,
    count(*) filter (where approvals.status = 'approved') as approvals_granted,
    count(*) filter (where approvals.status = 'rejected') as approvals_rejected,
    count(distinct evidence.id) as evidence_items
from missions
left join mission_stage_status as progress on progress.mission_id = missions.id
left join mission_approvals as approvals on approvals.mission_id = missions.id
left join mission_evidence as evidence on evidence.mission_id = missions.id
group by missions.tenant_id, date_trunc('day', progress.updated_at);

create unique index governance_insights_pk on governance_insights_mv (tenant_id, day);

-- Kept as the platform has it, three times: the joins on mission_id alone multiply the counts and
-- credit a row to another row's hour; the doubled backslash makes the pattern pass integers and
-- drop "12.5"; tool_failures knows only the word failed, which Composio's audit never writes.
create materialized view operations_health_mv as
select
    coalesce(events.tenant_id, streams.tenant_id, audits.tenant_id) as tenant_id,
    date_trunc('hour', coalesce(events.created_at, streams.connected_at, audits.occurred_at))
        as hour,
    count(*) filter (where events.status = 'error') as error_events,
    count(*) filter (where events.event_type = 'session_heartbeat') as heartbeat_events,
    avg(
        case
            when events.context ->> 'lag_ms' ~ '^[0-9]+(\\.[0-9]+)?$'
                then (events.context ->> 'lag_ms')::numeric
        end
    ) as avg_heartbeat_lag_ms,
    count(distinct streams.session_id) as active_streams,
    count(*) filter (where audits.status = 'failed') as tool_failures
from telemetry_events as events
full outer join workspace_stream_sessions as streams on streams.mission_id = events.mission_id
full outer join composio_audit_events as audits
    on audits.mission_id = coalesce(events.mission_id, streams.mission_id)
group by 1, 2;

create unique index operations_health_pk on operations_health_mv (tenant_id, hour);

create materialized view adoption_funnel_mv as
select
    missions.tenant_id,
    date_trunc('week', missions.created_at) as week,
    count(*) as missions_created,
    count(missions.brief_locked_at) as briefs_locked,
    count(missions.ready_at) as readiness_achieved,
    count(*) filter (
        where exists (
            select
            from mission_approvals as approvals
            where approvals.mission_id = missions.id and approvals.status = 'approved'
        )
    ) as approvals_completed,
    count(missions.completed_at) as missions_completed
from missions
group by missions.tenant_id, date_trunc('week', missions.created_at);

create unique index adoption_funnel_pk on adoption_funnel_mv (tenant_id, week);

create materialized view agent_performance_mv as
select
    sessions.mission_id,
    missions.tenant_id,
    sessions.agent_name,
    avg(sessions.lag_ms) as avg_lag_ms,
    avg(sessions.token_usage) as avg_token_usage,
    avg(sessions.state_size_bytes) as avg_state_size,
    count(*) filter (where sessions.status = 'terminated') as terminated_sessions,
    count(*) filter (where sessions.status = 'active') as active_sessions
from mission_sessions as sessions
inner join missions on missions.id = sessions.mission_id
group by sessions.mission_id, missions.tenant_id, sessions.agent_name;

create unique index agent_performance_pk on agent_performance_mv (mission_id, agent_name);
