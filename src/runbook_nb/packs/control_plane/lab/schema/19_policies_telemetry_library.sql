-- Who may see and change telemetry and the library.

-- Kept as the platform has it: telemetry without a mission is everyone's to read.
create policy telemetry_read on telemetry_events
for select
using (
    mission_id is null
    or mission_accessible(mission_id)
    or has_role('analytics')
    or has_role('governance')
);

create policy telemetry_write on telemetry_events
for insert
with check (has_role('service') or mission_accessible(mission_id));

create policy telemetry_update on telemetry_events
for update
using (has_role('service'))
with check (has_role('service'));

create policy library_entries_read on library_entries
for select
using (
    tenant_id is null
    or tenant_id = current_tenant_id()
    or has_role('governance')
    or has_role('analytics')
    or has_role('service')
);

-- Kept as the platform has it: anyone can add an entry without tenant, and only service edits it.
create policy library_entries_write on library_entries
for all
using (tenant_id = current_tenant_id() or has_role('service'))
with check (tenant_id = current_tenant_id() or has_role('service') or tenant_id is null);

create policy library_embeddings_read on library_embeddings
for select
using (
    exists (
        select
        from library_entries
        where
            library_entries.id = library_embeddings.entry_id
            and (
                library_entries.tenant_id is null
                or library_entries.tenant_id = current_tenant_id()
                or has_role('governance')
                or has_role('analytics')
                or has_role('service')
            )
    )
);

create policy library_embeddings_write on library_embeddings
for all
using (has_role('service'))
with check (has_role('service'));
