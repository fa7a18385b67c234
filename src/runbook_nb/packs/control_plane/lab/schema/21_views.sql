-- The seven views that the dashboards and the workspace read.

-- Kept as the platform has it: every view runs with its owner's rights (no security_invoker), and
-- the dashboards ask the claims, not the database role, so service_role sees next to nothing.

create view executive_summary with (security_barrier = true) as
select
    tenant_id,
    week,
    completed_missions,
    active_missions,
    avg_time_to_complete_hours,
    persona_count
from executive_summary_mv
where
    tenant_id is null
    or tenant_id = current_tenant_id()
    or has_role('analytics')
    or has_role('governance')
    or has_role('service');

create view governance_insights with (security_barrier = true) as
select
    tenant_id,
    day,
    blocked_stages,
    ready_stages,
    approvals_granted,
    approvals_rejected,
    evidence_items
from governance_insights_mv
where
    tenant_id is null
    or tenant_id = current_tenant_id()
    or has_role('governance')
    or has_role('service');

create view operations_health with (security_barrier = true) as
select
    tenant_id,
    hour,
    error_events,
    heartbeat_events,
    avg_heartbeat_lag_ms,
    active_streams,
    tool_failures
from operations_health_mv
where
    tenant_id is null
    or tenant_id = current_tenant_id()
    or has_role('analytics')
    or has_role('service');

create view adoption_funnel with (security_barrier = true) as
select
    tenant_id,
    week,
    missions_created,
    briefs_locked,
    readiness_achieved,
    approvals_completed,
    missions_completed
from adoption_funnel_mv
where
    tenant_id is null
    or tenant_id = current_tenant_id()
    or has_role('analytics')
    or has_role('service');

create view agent_performance with (security_barrier = true) as
select
    mission_id,
    tenant_id,
    agent_name,
    avg_lag_ms,
    avg_token_usage,
    avg_state_size,
    terminated_sessions,
    active_sessions
from agent_performance_mv
where
    mission_accessible(mission_id)
    or has_role('analytics')
    or has_role('service');

-- Kept as the platform has it: no filter, so it shows every tenant's rows to any caller.
create view mission_readiness as
select
    missions.id as mission_id,
    missions.tenant_id,
    missions.current_stage,
    coalesce(progress.readiness_state, missions.readiness) as readiness_state,
    progress.coverage_percent,
    progress.blocking_reason,
    progress.updated_at as readiness_updated_at
from missions
left join mission_stage_status as progress
    on progress.mission_id = missions.id and progress.stage = 'Prepare';

comment on view mission_readiness
is 'Readiness of each mission: its Prepare stage, else what the mission itself says.';

-- Kept as the platform has it: no filter, so it shows every tenant's rows to any caller.
create view mission_stage_progress as
select
    missions.id as mission_id,
    missions.tenant_id,
    progress.stage,
    progress.status,
    progress.readiness_state,
    progress.coverage_percent,
    progress.updated_at
from missions
inner join mission_stage_status as progress on progress.mission_id = missions.id;

comment on view mission_stage_progress is 'Progress of each mission through its stages.';
