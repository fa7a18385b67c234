-- The tables of the Execute stage: agent sessions, artifacts, evidence.

create table mission_sessions (
    id uuid primary key default gen_random_uuid(),
    mission_id uuid not null references missions (id) on delete cascade,
    agent_name text not null,
    session_key text,
    state jsonb not null default '{}',
    lag_ms integer,
    token_usage integer,
    state_size_bytes integer,
    status session_state not null default 'active',
    last_heartbeat_at timestamptz not null default now(),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    unique (mission_id, agent_name)
);

-- Kept as the platform has it: hash is any text, checked for neither form nor uniqueness.
create table mission_artifacts (
    id uuid primary key default gen_random_uuid(),
    mission_id uuid not null references missions (id) on delete cascade,
    artifact_type text not null,
    name text,
    description text,
    source_stage mission_stage,
    storage_path text,
    storage_provider text,
    hash text,
    metadata jsonb not null default '{}',
    created_by uuid,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);

create table mission_evidence (
    id uuid primary key default gen_random_uuid(),
    mission_id uuid not null references missions (id) on delete cascade,
    artifact_id uuid references mission_artifacts (id) on delete cascade,
    display_message text,
    source_stage mission_stage,
    redaction_status redaction_state not null default 'pending_review',
    metadata jsonb not null default '{}',
    created_at timestamptz not null default now()
);
