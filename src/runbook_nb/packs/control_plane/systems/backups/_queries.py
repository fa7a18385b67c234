"""What is asked of the database about its archiver, its rows, its policies and its jobs."""

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

JOBS: Final = """
select jobid, jobname, schedule, username, database, active
from cron.job
order by jobid
"""

MISSIONS: Final = "select count(*) as missions from missions"
