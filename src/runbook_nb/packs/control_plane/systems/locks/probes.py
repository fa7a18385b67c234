"""What is read of the locks."""

from datetime import timedelta
from typing import Final

from runbook_nb.probes.calls import Reading, Systems, probe

# Texts of queries may hold customers' data; who waits for whom does not.
WAITING: Final = """
select w.pid,
       w.usename::text as role,
       w.application_name as application,
       coalesce(l.relation::regclass::text, l.locktype) as waits_for,
       round(extract(epoch from clock_timestamp() - l.waitstart)::numeric, 1) as waits_s,
       b.pid as held_by,
       b.usename::text as holding_role,
       b.application_name as holding_application,
       b.state as holder_is,
       round(extract(epoch from clock_timestamp() - b.xact_start)::numeric, 1) as held_s
from pg_locks l
join pg_stat_activity w on w.pid = l.pid
left join lateral unnest(pg_blocking_pids(l.pid)) as blocking (pid) on true
left join pg_stat_activity b on b.pid = blocking.pid
where not l.granted
  and l.waitstart < clock_timestamp() - %(longer_than)s
order by waits_s desc
limit 20
"""


@probe(unit="sessions")
def waiting(systems: Systems, *, longer_than: timedelta) -> Reading:
    """Count sessions of the database that wait for a lock longer than this, with who holds it."""
    rows = systems.database().rows(WAITING, longer_than=longer_than)
    return Reading(value=len({row["pid"] for row in rows}), detail=rows)
