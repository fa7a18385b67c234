-- The tables of tenants, personas and missions, with the rows that describe a mission.

create table tenants (
    id uuid primary key default gen_random_uuid(),
    slug text not null unique,
    name text not null,
    metadata jsonb not null default '{}',
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);

create table personas (
    id uuid primary key default gen_random_uuid(),
    name text not null unique,
    description text,
    created_at timestamptz not null default now()
);

create table missions (
    id uuid primary key default gen_random_uuid(),
    tenant_id uuid not null references tenants (id) on delete cascade,
    external_ref text,
    title text not null check (title <> ''),
    description text,
    persona_id uuid references personas (id),
    owner_id uuid,
    owner_role text,
    status mission_status not null default 'draft',
    current_stage mission_stage not null default 'Home',
    readiness readiness_state not null default 'unknown',
    priority text,
    intent jsonb not null default '{}',
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    brief_locked_at timestamptz,
    ready_at timestamptz,
    completed_at timestamptz,
    archived_at timestamptz,
    -- Kept as the platform has it: misnamed, and the enum already says the same.
    constraint missions_owner_stage_check check (
        current_stage in ('Home', 'Define', 'Prepare', 'Plan', 'Approve', 'Execute', 'Reflect')
    )
);

create table mission_metadata (
    id uuid primary key default gen_random_uuid(),
    mission_id uuid not null references missions (id) on delete cascade,
    metadata_key text not null check (metadata_key <> ''),
    metadata_value jsonb not null default '{}',
    source_stage mission_stage,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    unique (mission_id, metadata_key)
);

create table mission_stage_status (
    id uuid primary key default gen_random_uuid(),
    mission_id uuid not null references missions (id) on delete cascade,
    stage mission_stage not null,
    status stage_progress_state not null default 'pending',
    readiness_state readiness_state not null default 'unknown',
    coverage_percent numeric(5, 2) check (coverage_percent between 0 and 100),
    blocking_reason text,
    metrics jsonb not null default '{}',
    started_at timestamptz,
    completed_at timestamptz,
    updated_at timestamptz not null default now(),
    unique (mission_id, stage)
);

create table mission_safeguards (
    id uuid primary key default gen_random_uuid(),
    mission_id uuid not null references missions (id) on delete cascade,
    category text not null,
    description text,
    severity safeguard_severity not null default 'medium',
    added_by uuid,
    added_role text,
    enforced boolean not null default false,
    metadata jsonb not null default '{}',
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    resolved_at timestamptz,
    resolution_note text
);
