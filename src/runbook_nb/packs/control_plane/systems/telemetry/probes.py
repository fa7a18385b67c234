"""What is read of telemetry beside the platform's other records of the same work."""

from datetime import timedelta
from typing import Any, Final

from runbook_nb.errors import NoAnswerError
from runbook_nb.packs.control_plane.impact import measure
from runbook_nb.probes.calls import Reading, Systems, probe

# A night in which nothing works brings no events: only later work makes them late.
BEHIND: Final = """
with work as (
    select 'beat of a live session' as record, max(s.last_heartbeat_at) as at
    from mission_sessions s
    join missions m on m.id = s.mission_id and m.status = 'in_progress'
    where s.status = 'active'
      and s.last_heartbeat_at <= clock_timestamp()
    union all
    select 'tool call', max(occurred_at)
    from composio_audit_events
    where mission_id is not null
      and occurred_at <= clock_timestamp()
    union all
    select 'stream opened', max(connected_at)
    from workspace_stream_sessions
    where mission_id is not null
      and connected_at <= clock_timestamp()
),
newest as (
    select max(created_at) as at
    from telemetry_events
    where mission_id is not null
      and created_at <= clock_timestamp() + interval '60 seconds'
)
select w.record,
       w.at as "newest",
       n.at as "newest event",
       round(extract(epoch from clock_timestamp() - w.at) / 60, 2)::float as "min ago",
       round(extract(epoch from w.at - n.at) / 60, 2)::float as "min behind"
from work w
cross join newest n
where w.at is not null
order by w.at desc
"""
AHEAD: Final = """
select count(*) as "events ahead",
       coalesce(max(extract(epoch from created_at - clock_timestamp())), 0)::float as "s ahead",
       array_agg(distinct coalesce(agent_name, 'ui')) as "from"
from telemetry_events
where created_at > clock_timestamp()
"""
# A session's row and its event are written by the same agent at the same beat. The pages tell
# nothing of a mission since they opened a stream for it: they do not tell now.
UNSEEN: Final = """
with live as (
    select m.id as mission_id, m.tenant_id, s.agent_name, s.last_heartbeat_at as at_work
    from mission_sessions s
    join missions m on m.id = s.mission_id and m.status = 'in_progress'
    where s.status = 'active'
),
opened as (
    select w.mission_id, w.tenant_id, w.session_id, w.connected_at
    from workspace_stream_sessions w
    join live l on l.mission_id = w.mission_id
    where w.connected_at > clock_timestamp() - interval '15 minutes'
      and w.connected_at < clock_timestamp() - %(patience)s
      and not w.telemetry_disabled
)
select 'agent' as source,
       l.mission_id,
       l.tenant_id,
       l.at_work,
       max(t.created_at) as newest_event
from live l
left join telemetry_events t
  on t.mission_id = l.mission_id
 and t.agent_name = l.agent_name
 and t.created_at <= clock_timestamp() + interval '60 seconds'
where l.at_work > clock_timestamp() - interval '15 minutes'
group by l.mission_id, l.tenant_id, l.agent_name, l.at_work
having coalesce(max(t.created_at), '-infinity') < l.at_work - %(patience)s
union all
select 'ui', o.mission_id, o.tenant_id, max(o.connected_at), null
from opened o
where not exists (
    select from telemetry_events t
    where t.mission_id = o.mission_id
      and t.agent_name is null
      and t.created_at > o.connected_at - interval '5 seconds'
)
group by o.mission_id, o.tenant_id
order by source, newest_event
"""
AT_WORK: Final = """
select count(*) as live
from mission_sessions s
join missions m on m.id = s.mission_id and m.status = 'in_progress'
where s.status = 'active'
  and s.last_heartbeat_at > clock_timestamp() - interval '15 minutes'
"""
# The platform counts a beat as missed after three intervals; a shorter wait tells of jitter.
BEATS: Final = 3
SHORTEST_S: Final = 3.0


@probe(unit="min")
def behind(systems: Systems, *, quiet: timedelta) -> Reading:
    """Return the minutes by which the newest event is behind the newest other sign of work.

    Raises NoAnswerError where nothing has been at work for ``quiet``: then no event is due.
    """
    rows = systems.database().rows(BEHIND)
    if not rows or rows[0]["min ago"] > quiet.total_seconds() / 60:
        message = "Nothing has been at work lately, so no event is due: a quiet time is no stall."
        raise NoAnswerError(message)
    late = rows[0]["min behind"]
    if late is None:
        message = "There is no event of any mission to compare with."
        raise NoAnswerError(message)
    return Reading(value=max(0.0, late), detail=rows)


@probe(unit="missions")
def unseen(systems: Systems) -> Reading:
    """Count live missions that are at work while their events are missing, by source.

    An event is missing after three beats, and after 3 s at least. Raises NoAnswerError where no
    session has beaten for 15 minutes.
    """
    rows = _unseen(systems)
    impact = measure(systems.database(), window=timedelta(minutes=15)).impact
    return Reading(value=len({row["mission_id"] for row in rows}), detail=rows, impact=impact)


@probe(unit="missions")
def unseen_beats(systems: Systems) -> Reading:
    """Count live missions whose sessions beat while no event of it is stored.

    Raises NoAnswerError where no session has beaten for 15 minutes.
    """
    rows = [row for row in _unseen(systems) if row["source"] == "agent"]
    return Reading(value=len({row["mission_id"] for row in rows}), detail=rows)


@probe(unit="s")
def ahead(systems: Systems) -> Reading:
    """Return the seconds by which the newest event is ahead of the database's own clock."""
    row = systems.database().row(AHEAD)
    return Reading(value=round(row["s ahead"], 1), detail=row)


def _unseen(systems: Systems) -> list[dict[str, Any]]:
    database = systems.database()
    if not database.value(AT_WORK):
        message = "No session has beaten for 15 minutes, so none can be at work unseen."
        raise NoAnswerError(message)
    interval_s = float(systems.setting("agent", "heartbeat_interval_s"))
    patience = timedelta(seconds=max(BEATS * interval_s, SHORTEST_S))
    return database.rows(UNSEEN, patience=patience)
