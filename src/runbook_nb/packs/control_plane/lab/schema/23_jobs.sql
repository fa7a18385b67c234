-- The four scheduled jobs (times in UTC), each made only if no job of that name exists.

-- Kept as the platform has it: a schedule changed here does not reach a job that exists.
select cron.schedule(wanted.jobname, wanted.schedule, wanted.command)
from (
    values
        (1, 'refresh_analytics_views', '0 2 * * *', 'select public.refresh_analytics_views()'),
        (2, 'cleanup_telemetry_events', '0 * * * *', 'select public.cleanup_telemetry_events()'),
        (3, 'cleanup_mission_sessions', '30 3 * * *', 'select public.cleanup_mission_sessions()'),
        (4, 'refresh_library_embeddings', '0 6 * * 1', 'select public.refresh_library_embeddings()')
) as wanted (place, jobname, schedule, command)
where not exists (select from cron.job where job.jobname = wanted.jobname)
order by wanted.place;
