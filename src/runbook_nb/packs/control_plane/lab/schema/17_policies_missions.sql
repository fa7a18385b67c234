-- Who may see and change tenants and missions, and the switch that makes policies count.

-- Kept as the platform has it: personas is the one table without row level security.
alter table tenants enable row level security;

alter table missions enable row level security;

alter table mission_metadata enable row level security;

alter table mission_stage_status enable row level security;

alter table mission_safeguards enable row level security;

alter table toolkit_selections enable row level security;

alter table mission_connections enable row level security;

alter table data_inspection_checks enable row level security;

alter table mission_undo_plans enable row level security;

alter table mission_plays enable row level security;

alter table mission_approvals enable row level security;

alter table mission_sessions enable row level security;

alter table mission_artifacts enable row level security;

alter table mission_evidence enable row level security;

alter table mission_feedback enable row level security;

alter table mission_followups enable row level security;

alter table mission_retrospectives enable row level security;

alter table telemetry_events enable row level security;

alter table workspace_stream_sessions enable row level security;

alter table composio_audit_events enable row level security;

alter table undo_events enable row level security;

alter table library_entries enable row level security;

alter table library_embeddings enable row level security;

-- Kept as the platform has it: no policy lets anyone write tenants.
create policy tenants_service_read on tenants
for select
using (has_role('service'));

create policy missions_tenant_read on missions
for select
using (
    tenant_id = current_tenant_id()
    or has_role('governance')
    or has_role('analytics')
    or has_role('service')
);

create policy missions_tenant_write on missions
for all
using (tenant_id = current_tenant_id() or has_role('service'))
with check (tenant_id = current_tenant_id() or has_role('service'));
