-- The schema auth: what Supabase lets SQL know about the caller's JSON web token.

create schema if not exists auth;

grant usage on schema auth to anon, authenticated, service_role;

create function auth.jwt()
returns jsonb
language sql stable
as $$
    select nullif(current_setting('request.jwt.claims', true), '')::jsonb;
$$;

create function auth.uid()
returns uuid
language sql stable
as $$
    select nullif(auth.jwt() ->> 'sub', '')::uuid;
$$;

create function auth.role()
returns text
language sql stable
as $$
    select nullif(auth.jwt() ->> 'role', '');
$$;
