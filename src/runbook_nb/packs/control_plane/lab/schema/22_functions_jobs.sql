-- The functions that the scheduled jobs call: refresh, retention, embeddings.

-- Kept as the platform has it: blocking, and one broken view leaves all five unrefreshed.
create function refresh_analytics_views()
returns void
language plpgsql
as $$
begin
    refresh materialized view executive_summary_mv;
    refresh materialized view governance_insights_mv;
    refresh materialized view operations_health_mv;
    refresh materialized view adoption_funnel_mv;
    refresh materialized view agent_performance_mv;
end;
$$;

comment on function refresh_analytics_views() is 'Refreshes the five analytics views.';

-- Kept as the platform has it: stream sessions that never disconnected stay for ever.
create function cleanup_telemetry_events()
returns void
language plpgsql
as $$
begin
    delete from telemetry_events where created_at < now() - interval '180 days';

    delete from composio_audit_events where occurred_at < now() - interval '180 days';

    delete from workspace_stream_sessions
    where disconnected_at is not null and disconnected_at < now() - interval '90 days';

    delete from undo_events where occurred_at < now() - interval '365 days';
end;
$$;

comment on function cleanup_telemetry_events()
is 'Deletes telemetry and audit rows after 180 days, closed streams after 90, undo after 365.';

-- Kept as the platform has it: a stuck session that says active stays for ever.
create function cleanup_mission_sessions()
returns void
language plpgsql
as $$
begin
    delete from mission_sessions
    where status <> 'active' and updated_at < now() - interval '90 days';
end;
$$;

comment on function cleanup_mission_sessions()
is 'Deletes idle and terminated agent sessions after 90 days.';

-- Kept as the platform has it: no vector is computed, and the new stamp hides how old they are.
create function refresh_library_embeddings()
returns void
language plpgsql
as $$
begin
    update library_embeddings
    set updated_at = now()
    where updated_at < now() - interval '7 days';
end;
$$;

comment on function refresh_library_embeddings()
is 'Stamps embeddings older than 7 days as updated now.';
