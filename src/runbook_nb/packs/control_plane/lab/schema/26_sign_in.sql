-- Who signs in, and the hook by which Supabase Auth adds claims to a token it issues.

create table auth.users (
    id uuid primary key default gen_random_uuid(),
    email text not null unique,
    raw_app_meta_data jsonb not null default '{}',
    raw_user_meta_data jsonb not null default '{}',
    created_at timestamptz not null default now(),
    last_sign_in_at timestamptz,
    banned_until timestamptz
);

-- One row a device that is signed in; without it, no token is renewed.
create table auth.sessions (
    id uuid primary key default gen_random_uuid(),
    user_id uuid not null references auth.users (id) on delete cascade,
    created_at timestamptz not null default now(),
    refreshed_at timestamptz
);

create schema auth_hooks;

grant usage on schema auth_hooks to authenticator;

-- Only what an administrator wrote becomes a claim: users may change raw_user_meta_data themselves.
create function auth_hooks.add_claims(event jsonb)
returns jsonb
language sql stable
as $$
    select jsonb_set(
        event,
        '{claims}',
        coalesce(event -> 'claims', '{}') || jsonb_strip_nulls(
            jsonb_build_object(
                'sub', users.id,
                'role', 'authenticated',
                'app_metadata', users.raw_app_meta_data,
                'user_metadata', users.raw_user_meta_data,
                'tenant_id', users.raw_app_meta_data -> 'tenant_id',
                'roles', users.raw_app_meta_data -> 'roles'
            )
        )
    )
    from auth.users
    where users.id = (event ->> 'user_id')::uuid;
$$;
