-- The indexes of the tables, besides those of their keys.

create index idx_missions_tenant_status on missions (tenant_id, status);

create index idx_missions_stage on missions (current_stage);

create index idx_missions_owner on missions (owner_id);

-- Kept as the platform has it: the unique key on the same columns already serves.
create index idx_mission_metadata_key on mission_metadata (mission_id, metadata_key);

-- Kept as the platform has it: the unique key on the same columns already serves.
create index idx_mission_stage_status_stage on mission_stage_status (mission_id, stage);

create index idx_mission_safeguards_mission on mission_safeguards (mission_id);

create index idx_toolkit_selections_mission on toolkit_selections (mission_id);

create index idx_mission_connections_toolkit on mission_connections (mission_id, toolkit_slug);

create unique index idx_mission_connections_link
on mission_connections (mission_id, toolkit_slug, coalesce(connect_link_id, ''));

create index idx_data_checks_mission on data_inspection_checks (mission_id);

create index idx_mission_plays_mission on mission_plays (mission_id);

create index idx_mission_approvals_status on mission_approvals (mission_id, status);

-- Kept as the platform has it: the unique key on the same columns already serves.
create index idx_mission_sessions_mission on mission_sessions (mission_id, agent_name);

create index idx_mission_artifacts_mission on mission_artifacts (mission_id, source_stage);

create index idx_mission_evidence_mission on mission_evidence (mission_id);

create index idx_mission_feedback_mission on mission_feedback (mission_id);

create index idx_mission_followups_mission on mission_followups (mission_id, status);

create index idx_mission_retrospectives_mission on mission_retrospectives (mission_id);

-- Kept as the platform has it: no index leads with created_at, so "the last event" is a scan.
create index idx_telemetry_mission on telemetry_events (mission_id, created_at desc);

create index idx_telemetry_stage on telemetry_events (stage, event_type);

create index idx_telemetry_correlation on telemetry_events (correlation_id);

create index idx_telemetry_context on telemetry_events using gin (context);

create index idx_stream_sessions_session on workspace_stream_sessions (session_id);

create index idx_composio_audit_mission on composio_audit_events (mission_id, occurred_at desc);

create index idx_composio_audit_toolkit on composio_audit_events (toolkit);

create index idx_composio_audit_outcome on composio_audit_events using gin (outcome);

create index idx_undo_events_plan on undo_events (undo_plan_id, occurred_at desc);

create index idx_library_entries_tags on library_entries using gin (tags);

create index idx_library_entries_category on library_entries (category);

create index idx_library_entries_tenant on library_entries (tenant_id);

create index idx_library_embeddings_embedding
on library_embeddings using hnsw (embedding vector_cosine_ops);
