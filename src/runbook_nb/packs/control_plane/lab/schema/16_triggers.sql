-- The trigger function that stamps updated_at, and the 14 tables that fire it before an update.

create function set_updated_at()
returns trigger
language plpgsql
as $$
begin
    new.updated_at := now();
    return new;
end;
$$;

create trigger trg_tenants_updated_at
before update on tenants
for each row execute function set_updated_at();

create trigger trg_missions_updated_at
before update on missions
for each row execute function set_updated_at();

create trigger trg_mission_metadata_updated_at
before update on mission_metadata
for each row execute function set_updated_at();

create trigger trg_mission_stage_status_updated_at
before update on mission_stage_status
for each row execute function set_updated_at();

create trigger trg_mission_safeguards_updated_at
before update on mission_safeguards
for each row execute function set_updated_at();

-- Kept as the platform has it: the table has no updated_at, so every update fails with 42703.
create trigger trg_mission_connections_updated_at
before update on mission_connections
for each row execute function set_updated_at();

create trigger trg_mission_undo_plans_updated_at
before update on mission_undo_plans
for each row execute function set_updated_at();

create trigger trg_mission_plays_updated_at
before update on mission_plays
for each row execute function set_updated_at();

create trigger trg_mission_approvals_updated_at
before update on mission_approvals
for each row execute function set_updated_at();

create trigger trg_mission_sessions_updated_at
before update on mission_sessions
for each row execute function set_updated_at();

create trigger trg_mission_artifacts_updated_at
before update on mission_artifacts
for each row execute function set_updated_at();

create trigger trg_mission_retrospectives_updated_at
before update on mission_retrospectives
for each row execute function set_updated_at();

create trigger trg_library_entries_updated_at
before update on library_entries
for each row execute function set_updated_at();

create trigger trg_library_embeddings_updated_at
before update on library_embeddings
for each row execute function set_updated_at();
