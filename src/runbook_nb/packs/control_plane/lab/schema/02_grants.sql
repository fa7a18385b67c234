-- Supabase's default grants: whatever postgres makes in public is open to the three API roles.

grant usage on schema public to anon, authenticated, service_role;

-- These seven are what ALL meant up to PostgreSQL 16. MAINTAIN, which ALL holds since 17, is left
-- out so that only the owner can refresh the analytics views, as on the platform.
alter default privileges for role postgres in schema public
grant select, insert, update, delete, truncate, references, trigger on tables
to anon, authenticated, service_role;

alter default privileges for role postgres in schema public
grant all on sequences to anon, authenticated, service_role;

alter default privileges for role postgres in schema public
grant all on functions to anon, authenticated, service_role;
