-- The database roles: Supabase's own, and those that the lab's processes connect as.

-- Roles belong to the whole server, so a second database on it finds them already there.
do $$
declare
    wanted record;
begin
    for wanted in
        select name, attributes
        from (
            values
                ('anon', 'nologin noinherit'),
                ('authenticated', 'nologin noinherit'),
                ('service_role', 'nologin noinherit bypassrls'),
                ('authenticator', 'login noinherit'),
                ('agent_service', 'login bypassrls'),
                ('runbook_reader', 'login bypassrls'),
                ('runbook_viewer', 'login noinherit'),
                ('runbook_writer', 'login bypassrls')
        ) as roles (name, attributes)
        where not exists (select from pg_roles where rolname = roles.name)
    loop
        execute format('create role %I %s', wanted.name, wanted.attributes);
    end loop;
end;
$$;

grant anon, authenticated, service_role to authenticator;

grant service_role to agent_service;

grant pg_read_all_stats, pg_monitor to runbook_reader;

-- Anyone may turn this setting off again, so neither holds a privilege to write.
alter role runbook_reader set default_transaction_read_only = on;

alter role runbook_viewer set default_transaction_read_only = on;

alter role runbook_reader set statement_timeout = '10s';

alter role runbook_viewer set statement_timeout = '10s';

grant service_role, pg_signal_backend to runbook_writer;
