-- The catalogue and functions of pg_cron 1.6 in SQL; the jobs are run by the lab's worker.

create schema cron;

create sequence cron.jobid_seq;

create sequence cron.runid_seq;

create table cron.job (
    jobid bigint primary key default nextval('cron.jobid_seq'),
    schedule text not null,
    command text not null,
    nodename text not null default 'localhost',
    -- On a Unix socket inet_server_port() is null, and the column is not.
    nodeport integer not null
    default coalesce(inet_server_port(), current_setting('port')::integer),
    database text not null default current_database(),
    username text not null default current_user,
    active boolean not null default true,
    jobname text,
    constraint jobname_username_uniq unique (jobname, username)
);

create table cron.job_run_details (
    jobid bigint,
    runid bigint primary key default nextval('cron.runid_seq'),
    job_pid integer,
    database text,
    username text,
    command text,
    status text,
    return_message text,
    start_time timestamptz,
    end_time timestamptz
);

alter table cron.job enable row level security;

alter table cron.job_run_details enable row level security;

create policy cron_job_policy on cron.job using (username = current_user);

create policy cron_job_run_details_policy on cron.job_run_details using (username = current_user);

grant select on cron.job, cron.job_run_details to public;

select pg_extension_config_dump('cron.job', '');

select pg_extension_config_dump('cron.jobid_seq', '');

select pg_extension_config_dump('cron.job_run_details', '');

select pg_extension_config_dump('cron.runid_seq', '');

create function cron.schedule(job_name text, schedule text, command text)
returns bigint
language plpgsql
as $$
#variable_conflict use_column
declare
    scheduled bigint;
begin
    if schedule.schedule !~ '^\s*\S+(\s+\S+){4}\s*$'
        and schedule.schedule !~ '^\s*[1-5]?[0-9] seconds?\s*$'
    then
        raise exception 'invalid schedule: %', schedule.schedule
            using hint = 'Use cron format (e.g. 5 4 * * *), or interval format ''[1-59] seconds''';
    end if;

    insert into cron.job (schedule, command, jobname)
    values (schedule.schedule, schedule.command, schedule.job_name)
    on conflict on constraint jobname_username_uniq
    do update set schedule = excluded.schedule, command = excluded.command
    returning jobid into scheduled;

    return scheduled;
end;
$$;

comment on function cron.schedule(text, text, text) is 'schedule a pg_cron job';

create function cron.schedule(schedule text, command text)
returns bigint
language sql
as $$
    select cron.schedule(null, schedule, command);
$$;

comment on function cron.schedule(text, text) is 'schedule a pg_cron job';

create function cron.unschedule(job_id bigint)
returns boolean
language plpgsql strict
as $$
begin
    delete from cron.job where jobid = job_id;

    if not found then
        raise exception 'could not find valid entry for job %', job_id;
    end if;

    return true;
end;
$$;

comment on function cron.unschedule(bigint) is 'unschedule a pg_cron job';

create function cron.unschedule(job_name text)
returns boolean
language plpgsql strict
as $$
begin
    delete from cron.job where jobname = job_name and username = current_user;

    if not found then
        raise exception 'could not find valid entry for job ''%''', job_name;
    end if;

    return true;
end;
$$;

comment on function cron.unschedule(text) is 'unschedule a pg_cron job';

create function cron.alter_job(
    job_id bigint,
    schedule text default null,
    command text default null,
    database text default null,
    username text default null,
    active boolean default null
)
returns void
language plpgsql
as $$
#variable_conflict use_column
begin
    update cron.job
    set
        schedule = coalesce(alter_job.schedule, schedule),
        command = coalesce(alter_job.command, command),
        database = coalesce(alter_job.database, database),
        username = coalesce(alter_job.username, username),
        active = coalesce(alter_job.active, active)
    where jobid = alter_job.job_id;

    if not found then
        raise exception 'Job % does not exist or you don''t own it', alter_job.job_id;
    end if;
end;
$$;

comment on function cron.alter_job(bigint, text, text, text, text, boolean)
is 'Alter the job identified by job_id. Any option left as NULL will not be modified.';
