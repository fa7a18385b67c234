"""What is read of the agent's heartbeats."""

from datetime import timedelta
from typing import Any, Final

from runbook_nb.errors import NoAnswerError
from runbook_nb.packs.control_plane.mission_state import WAITING
from runbook_nb.probes.calls import Reading, Systems, probe

# A p95 of fewer samples is one beat's luck; the platform's own verification asks for 20.
SAMPLES: Final = 20
_LIVE: Final = f"""
with recovery as (
    select mission_id, agent_name, max(created_at) as at
    from telemetry_events
    where event_type = 'error_recovery_triggered'
    group by mission_id, agent_name
),
began as (
    select mission_id, agent_name, min(created_at) as at
    from telemetry_events
    where event_type = 'session_heartbeat'
    group by mission_id, agent_name
),
live as (
    select s.mission_id,
           s.agent_name,
           greatest(now() - %(window)s, s.created_at, r.at, b.at) as since
    from mission_sessions s
    join missions m on m.id = s.mission_id and m.status = 'in_progress'
    left join recovery r on r.mission_id = s.mission_id and r.agent_name = s.agent_name
    left join began b on b.mission_id = s.mission_id and b.agent_name = s.agent_name
    where s.status = 'active'
      and not {WAITING}
),
beat as (
    select l.mission_id,
           l.agent_name,
           t.created_at,
           (t.context ->> 'lag_ms')::numeric as lag_ms,
           (t.context ->> 'session_state_size_bytes')::numeric as state_bytes
    from live l
    join telemetry_events t
      on t.mission_id = l.mission_id
     and t.agent_name = l.agent_name
     and t.event_type = 'session_heartbeat'
     and t.created_at >= l.since
)
"""
LAG: Final = (
    _LIVE
    + """
select count(lag_ms) as samples,
       percentile_cont(0.50) within group (order by lag_ms) as p50_ms,
       percentile_cont(0.95) within group (order by lag_ms) as p95_ms,
       percentile_cont(0.99) within group (order by lag_ms) as p99_ms,
       max(lag_ms) as max_ms,
       count(*) filter (where lag_ms <> trunc(lag_ms)) as with_decimals
from beat
where lag_ms is not null
"""
)
LAG_BY_AGENT: Final = (
    _LIVE
    + """
select agent_name,
       count(*) as beats,
       round(percentile_cont(0.95) within group (order by lag_ms)) as p95_ms,
       round(max(lag_ms)) as max_ms
from beat
where lag_ms is not null
group by agent_name
order by agent_name
"""
)
# The database stamps the session's row with each beat, so an agent's clock that is ahead hides
# nothing; a mission that waits for a person owes no beat.
GAP: Final = f"""
select s.mission_id,
       s.agent_name,
       round(extract(epoch from now() - least(max(t.created_at), s.updated_at)), 1) as gap_s,
       max(t.created_at) as newest_beat_at
from mission_sessions s
join missions m on m.id = s.mission_id and m.status = 'in_progress'
left join telemetry_events t
  on t.mission_id = s.mission_id
 and t.agent_name = s.agent_name
 and t.event_type = 'session_heartbeat'
where s.status = 'active'
  and not {WAITING}
group by s.id, m.id
having max(t.created_at) is not null or s.created_at < now() - interval '2 minutes'
order by max(t.created_at) is null desc, gap_s desc
"""
MISSED: Final = (
    _LIVE
    + """
, expected as (
    select mission_id,
           agent_name,
           floor(extract(epoch from now() - since) / %(interval_s)s) as beats
    from live
),
received as (
    select mission_id, agent_name, count(*) as beats
    from beat
    group by mission_id, agent_name
)
select sum(e.beats)::int as expected,
       sum(least(coalesce(r.beats, 0), e.beats))::int as received
from expected e
left join received r using (mission_id, agent_name)
"""
)
STATE: Final = (
    _LIVE
    + """
, before as (
    select l.mission_id,
           l.agent_name,
           percentile_cont(0.5) within group (
               order by (t.context ->> 'session_state_size_bytes')::numeric) as bytes
    from live l
    join telemetry_events t
      on t.mission_id = l.mission_id
     and t.agent_name = l.agent_name
     and t.event_type = 'session_heartbeat'
     and t.created_at < l.since
     and t.created_at >= l.since - 4 * %(window)s
    group by l.mission_id, l.agent_name
),
sized as (
    select *, first_value(state_bytes) over (
        partition by mission_id, agent_name order by created_at) as first_bytes
    from beat where state_bytes is not null
)
select mission_id,
       agent_name,
       min(first_bytes) as first_bytes,
       round(max(before.bytes)) as usual_bytes,
       max(state_bytes) as largest_bytes,
       round((max(state_bytes)
           / nullif(greatest(min(first_bytes), max(before.bytes)), 0))::numeric, 2) as growth
from sized
left join before using (mission_id, agent_name)
group by mission_id, agent_name
order by growth desc nulls last
"""
)


@probe(unit="ms")
def lag_p95(systems: Systems, *, window: timedelta) -> Reading:
    """Return the 95th percentile of ``lag_ms`` of the agent's beats, in milliseconds.

    Raises NoAnswerError below 20 samples.
    """
    return _lag(systems, window, "p95_ms")


@probe(unit="ms")
def lag_max(systems: Systems, *, window: timedelta) -> Reading:
    """Return the largest ``lag_ms`` of the agent's beats, in milliseconds."""
    return _lag(systems, window, "max_ms")


@probe(unit="%")
def lag_decimals(systems: Systems, *, window: timedelta) -> Reading:
    """Return the share of beats whose ``lag_ms`` is no whole number, in percent.

    The dashboard's view reads whole numbers only and drops the others without a word.
    """
    lag = _figures(systems, window)
    return Reading(value=round(100 * lag["with_decimals"] / lag["samples"], 1), detail=lag)


@probe(unit="s")
def gap(systems: Systems) -> Reading:
    """Return the seconds since the last beat of the live session that is silent the longest."""
    rows = systems.database().rows(GAP)
    if not rows:
        message = "No mission is live, so no beat is due."
        raise NoAnswerError(message)
    longest = rows[0]["gap_s"]
    if rows[0]["newest_beat_at"] is None:
        message = f"A live session of mission {rows[0]['mission_id']} has never sent a beat."
        raise NoAnswerError(message)
    return Reading(value=float(longest), detail=rows)


@probe(unit="%")
def missed(systems: Systems, *, window: timedelta) -> Reading:
    """Return the share of due beats that never came, in percent.

    Due are as many as the interval fits into the time; raises NoAnswerError below 20.
    """
    interval_s = float(systems.setting("agent", "heartbeat_interval_s"))
    row = systems.database().row(MISSED, window=window, interval_s=interval_s)
    expected, received = row["expected"] or 0, row["received"] or 0
    if expected < SAMPLES:
        message = f"Only {expected} beats are due so far; {SAMPLES} are needed to tell."
        raise NoAnswerError(message)
    return Reading(value=round(100 * (1 - received / expected), 1), detail=row)


@probe(unit="times")
def state_growth(systems: Systems, *, window: timedelta) -> Reading:
    """Return how many times its first size a session's state had, for the one that grew most.

    Where it was usually larger in the four windows before, that counts: a state that was lost and
    put back has not grown.
    """
    rows = systems.database().rows(STATE, window=window)
    if not rows or rows[0]["growth"] is None:
        message = "No beat in the window carries the size of its session's state."
        raise NoAnswerError(message)
    return Reading(value=float(rows[0]["growth"]), detail=rows)


def _lag(systems: Systems, window: timedelta, figure: str) -> Reading:
    lag = _figures(systems, window)
    agents = systems.database().rows(LAG_BY_AGENT, window=window)
    return Reading(
        value=round(float(lag[figure]), 1), detail=[{"agent_name": "all", **lag}, *agents]
    )


def _figures(systems: Systems, window: timedelta) -> dict[str, Any]:
    lag = systems.database().row(LAG, window=window)
    if lag["samples"] < SAMPLES:
        message = (
            f"Only {lag['samples']} beats of the agent in the window; {SAMPLES} are needed to tell."
        )
        raise NoAnswerError(message)
    return {name: round(float(value), 1) for name, value in lag.items()}
