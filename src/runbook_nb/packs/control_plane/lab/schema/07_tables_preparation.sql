-- The tables of the Prepare stage: toolkits chosen, connections to them, data inspected.

create table toolkit_selections (
    id uuid primary key default gen_random_uuid(),
    mission_id uuid not null references missions (id) on delete cascade,
    toolkit_slug text not null,
    toolkit_name text,
    stage mission_stage not null default 'Prepare',
    selection_reason text,
    recommended boolean not null default false,
    rank integer,
    metadata jsonb not null default '{}',
    created_at timestamptz not null default now(),
    unique (mission_id, toolkit_slug)
);

-- Kept as the platform has it: no updated_at here, though a trigger sets it on every update.
create table mission_connections (
    id uuid primary key default gen_random_uuid(),
    mission_id uuid not null references missions (id) on delete cascade,
    toolkit_slug text not null,
    connect_link_id text,
    requested_scopes jsonb not null default '[]',
    granted_scopes jsonb not null default '[]',
    status connection_status not null default 'initiated',
    requested_at timestamptz not null default now(),
    approved_at timestamptz,
    expires_at timestamptz,
    metadata jsonb not null default '{}'
);

-- Kept as the platform has it: coverage_percent has no range check here.
create table data_inspection_checks (
    id uuid primary key default gen_random_uuid(),
    mission_id uuid not null references missions (id) on delete cascade,
    toolkit_slug text,
    inspector_id uuid,
    coverage_percent numeric(5, 2),
    sample_count integer,
    pii_flags jsonb,
    outcome inspection_outcome not null default 'pass',
    details jsonb not null default '{}',
    created_at timestamptz not null default now()
);
