-- The event logs: telemetry, stream connections, Composio calls, undo.

-- Kept as the platform has it: deleting a mission deletes its telemetry.
create table telemetry_events (
    id uuid primary key default gen_random_uuid(),
    mission_id uuid references missions (id) on delete cascade,
    tenant_id uuid references tenants (id) on delete set null,
    user_id uuid,
    agent_name text,
    stage mission_stage,
    event_type text not null,
    status telemetry_level not null default 'info',
    context jsonb not null default '{}',
    payload_sha text,
    correlation_id text,
    created_at timestamptz not null default now()
);

create table workspace_stream_sessions (
    id uuid primary key default gen_random_uuid(),
    mission_id uuid references missions (id) on delete cascade,
    tenant_id uuid references tenants (id) on delete set null,
    session_id text not null,
    stage mission_stage,
    sampling_mode text,
    telemetry_disabled boolean not null default false,
    metadata jsonb not null default '{}',
    connected_at timestamptz not null default now(),
    disconnected_at timestamptz
);

create table composio_audit_events (
    id uuid primary key default gen_random_uuid(),
    mission_id uuid references missions (id) on delete cascade,
    tenant_id uuid references tenants (id) on delete set null,
    toolkit text,
    action text,
    status text,
    outcome jsonb not null default '{}',
    latency_ms integer,
    error_code text,
    retries integer not null default 0,
    occurred_at timestamptz not null default now()
);

create table undo_events (
    id uuid primary key default gen_random_uuid(),
    mission_id uuid references missions (id) on delete cascade,
    undo_plan_id uuid references mission_undo_plans (id) on delete cascade,
    event_type undo_event_type not null,
    status undo_status not null default 'pending',
    initiated_by uuid,
    notes text,
    metadata jsonb not null default '{}',
    occurred_at timestamptz not null default now()
);
