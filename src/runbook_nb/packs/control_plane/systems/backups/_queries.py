"""What is asked of the database about its archiver, rows and policies, and of runs of jobs."""

from typing import Final

ARCHIVER: Final = """
select last_archived_wal,
       last_archived_time,
       last_failed_wal,
       last_failed_time,
       coalesce(last_failed_time > coalesce(last_archived_time, '-infinity'), false) as failing
from pg_stat_archiver
"""

# One question for each table, in which the database itself has quoted the names.
COUNTS: Final = """
select format('select %%L as name, count(*) as rows from public.%%I', relname, relname) as question
from pg_class
where relnamespace = 'public'::regnamespace
  and relkind = 'r'
order by relname
"""

POLICIES: Final = """
select tablename || '.' || policyname as name,
       md5(concat_ws('|', permissive, roles, cmd, qual, with_check)) as content
from pg_policies
where schemaname = 'public'
order by 1
"""

# A physical backup copies the whole server: all its databases, and two segments of log at least.
SIZES: Final = """
with segment as (
  select setting::bigint as bytes from pg_settings where name = 'wal_segment_size'
)
select bytes as wal_segment_bytes,
       (select sum(pg_database_size(oid)) from pg_database)::bigint + 2 * bytes as size_bytes
from segment
"""

# A job ran every so often until now; twice its longest pause is too long without a success.
RUNS: Final = """
with run as (
    select d.jobid, d.status, d.return_message, d.start_time,
           d.start_time - lag(d.start_time) over (partition by d.jobid order by d.start_time)
               as pause,
           row_number() over (partition by d.jobid order by d.start_time desc) as place
    from cron.job_run_details d
    where d.status in ('succeeded', 'failed')
      and d.start_time > now() - interval '40 days'
)
select j.jobid,
       j.jobname,
       j.schedule,
       count(run.jobid) as runs,
       max(run.status) filter (where place = 1) as newest,
       max(left(run.return_message, 120)) filter (where place = 1) as said,
       max(run.start_time) as newest_at,
       max(run.start_time) filter (where run.status = 'succeeded') as succeeded_at,
       coalesce(
           count(run.pause) >= 2
           and max(run.start_time) filter (where run.status = 'succeeded')
               < now() - 2 * max(run.pause), false) as overdue
from cron.job j
left join run on run.jobid = j.jobid
where j.active
group by j.jobid, j.jobname, j.schedule
order by j.jobid
"""
