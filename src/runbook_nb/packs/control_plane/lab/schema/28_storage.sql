-- What Supabase Storage keeps in the database: its buckets, and what it knows of each object.

create schema storage;

create table storage.buckets (
    id text primary key,
    name text not null unique,
    public boolean not null default false,
    file_size_limit bigint,
    allowed_mime_types text[],
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);

create table storage.objects (
    id uuid primary key default gen_random_uuid(),
    bucket_id text not null references storage.buckets (id),
    name text not null,
    metadata jsonb not null default '{}',
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    last_accessed_at timestamptz,
    unique (bucket_id, name)
);

alter table storage.buckets enable row level security;

alter table storage.objects enable row level security;

grant usage on schema storage to runbook_reader, service_role;

grant select on all tables in schema storage to runbook_reader, service_role;
