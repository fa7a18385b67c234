-- The reader sees every row and changes nothing, not even what is in no table.

grant usage on schema public, auth, auth_hooks, cron to runbook_reader;
-- What an action recounts before it changes anything.
grant usage on schema cron to runbook_writer;

grant select on all tables in schema public, auth, cron to runbook_reader;

alter default privileges for role postgres in schema public grant select on tables to runbook_reader;

-- Messages, locks, large objects and the log of changes are open to everybody by default, and a
-- transaction that only reads stops some of them alone.
do $$
declare
    shut regprocedure;
begin
    for shut in
        select oid
        from pg_proc
        where pronamespace = 'pg_catalog'::regnamespace
          and (proname ~ '^(lo_|pg_(try_)?advisory_)'
               or proname in ('loread', 'lowrite', 'pg_notify', 'pg_logical_emit_message'))
    loop
        execute format('revoke execute on function %s from public', shut);
        execute format(
            'grant execute on function %s to agent_service, runbook_writer, service_role', shut
        );
    end loop;
    execute format('revoke temporary on database %I from public', current_database());
    execute format(
        'grant temporary on database %I to agent_service, runbook_writer', current_database()
    );
end;
$$;
