-- The library of reusable plays, and one embedding for each entry.

-- Kept as the platform has it: an entry without tenant is everyone's, so deleting a tenant
-- publishes its private entries.
create table library_entries (
    id uuid primary key default gen_random_uuid(),
    tenant_id uuid references tenants (id) on delete set null,
    title text not null check (title <> ''),
    description text,
    category text,
    persona text,
    tags text[] default '{}',
    playbook jsonb not null default '{}',
    source_mission_id uuid references missions (id) on delete set null,
    source_artifact_id uuid references mission_artifacts (id) on delete set null,
    reuse_count integer not null default 0,
    average_rating numeric(4, 2),
    created_by uuid,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    unique (tenant_id, title)
);

create table library_embeddings (
    entry_id uuid primary key references library_entries (id) on delete cascade,
    embedding vector(1536) not null,
    embedding_provider text,
    embedding_model text,
    updated_at timestamptz not null default now()
);
