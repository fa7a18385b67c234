-- Who may see and change the rows that belong to a mission.

create policy mission_children_read on mission_metadata
for select
using (mission_accessible(mission_id) or has_role('service'));

create policy mission_children_write on mission_metadata
for all
using (mission_accessible(mission_id) or has_role('service'))
with check (mission_accessible(mission_id) or has_role('service'));

create policy mission_status_read on mission_stage_status
for select
using (mission_accessible(mission_id) or has_role('service'));

create policy mission_status_write on mission_stage_status
for all
using (mission_accessible(mission_id) or has_role('service'))
with check (mission_accessible(mission_id) or has_role('service'));

create policy mission_related_read on mission_safeguards
for select
using (mission_accessible(mission_id) or has_role('service'));

create policy mission_related_write on mission_safeguards
for all
using (mission_accessible(mission_id) or has_role('service'))
with check (mission_accessible(mission_id) or has_role('service'));

create policy mission_toolkits_read on toolkit_selections
for select
using (mission_accessible(mission_id) or has_role('service'));

create policy mission_toolkits_write on toolkit_selections
for all
using (mission_accessible(mission_id) or has_role('service'))
with check (mission_accessible(mission_id) or has_role('service'));

create policy mission_connections_read on mission_connections
for select
using (mission_accessible(mission_id) or has_role('service'));

create policy mission_connections_write on mission_connections
for all
using (mission_accessible(mission_id) or has_role('service'))
with check (mission_accessible(mission_id) or has_role('service'));

create policy mission_inspections_read on data_inspection_checks
for select
using (mission_accessible(mission_id) or has_role('service'));

create policy mission_inspections_write on data_inspection_checks
for all
using (mission_accessible(mission_id) or has_role('service'))
with check (mission_accessible(mission_id) or has_role('service'));

create policy mission_undo_plans_read on mission_undo_plans
for select
using (mission_accessible(mission_id) or has_role('service'));

create policy mission_undo_plans_write on mission_undo_plans
for all
using (mission_accessible(mission_id) or has_role('service'))
with check (mission_accessible(mission_id) or has_role('service'));

create policy mission_plays_read on mission_plays
for select
using (mission_accessible(mission_id) or has_role('service'));

create policy mission_plays_write on mission_plays
for all
using (mission_accessible(mission_id) or has_role('service'))
with check (mission_accessible(mission_id) or has_role('service'));

create policy mission_followups_read on mission_followups
for select
using (mission_accessible(mission_id) or has_role('service'));

create policy mission_followups_write on mission_followups
for all
using (mission_accessible(mission_id) or has_role('service'))
with check (mission_accessible(mission_id) or has_role('service'));

create policy mission_sessions_read on mission_sessions
for select
using (mission_accessible(mission_id) or has_role('service'));

create policy mission_sessions_write on mission_sessions
for all
using (mission_accessible(mission_id) or has_role('service'))
with check (mission_accessible(mission_id) or has_role('service'));

create policy mission_streams_read on workspace_stream_sessions
for select
using (mission_accessible(mission_id) or has_role('service'));

create policy mission_streams_write on workspace_stream_sessions
for all
using (mission_accessible(mission_id) or has_role('service'))
with check (mission_accessible(mission_id) or has_role('service'));

create policy mission_approvals_read on mission_approvals
for select
using (mission_accessible(mission_id) or has_role('governance') or has_role('service'));

create policy mission_approvals_write on mission_approvals
for all
using (mission_accessible(mission_id) or has_role('service'))
with check (mission_accessible(mission_id) or has_role('service'));

create policy mission_artifacts_read on mission_artifacts
for select
using (mission_accessible(mission_id) or has_role('governance') or has_role('service'));

create policy mission_artifacts_write on mission_artifacts
for all
using (mission_accessible(mission_id) or has_role('service'))
with check (mission_accessible(mission_id) or has_role('service'));

create policy mission_evidence_read on mission_evidence
for select
using (mission_accessible(mission_id) or has_role('governance') or has_role('service'));

create policy mission_evidence_write on mission_evidence
for all
using (mission_accessible(mission_id) or has_role('service'))
with check (mission_accessible(mission_id) or has_role('service'));

create policy mission_retrospectives_read on mission_retrospectives
for select
using (mission_accessible(mission_id) or has_role('governance') or has_role('service'));

create policy mission_retrospectives_write on mission_retrospectives
for all
using (mission_accessible(mission_id) or has_role('service'))
with check (mission_accessible(mission_id) or has_role('service'));

create policy mission_undo_events_read on undo_events
for select
using (mission_accessible(mission_id) or has_role('governance') or has_role('service'));

create policy mission_undo_events_write on undo_events
for all
using (mission_accessible(mission_id) or has_role('service'))
with check (mission_accessible(mission_id) or has_role('service'));

create policy mission_feedback_read on mission_feedback
for select
using (mission_accessible(mission_id) or has_role('analytics') or has_role('service'));

create policy mission_feedback_write on mission_feedback
for all
using (mission_accessible(mission_id) or has_role('service'))
with check (mission_accessible(mission_id) or has_role('service'));

create policy mission_audit_read on composio_audit_events
for select
using (
    mission_accessible(mission_id)
    or has_role('governance')
    or has_role('analytics')
    or has_role('service')
);

create policy mission_audit_write on composio_audit_events
for all
using (mission_accessible(mission_id) or has_role('service'))
with check (mission_accessible(mission_id) or has_role('service'));
