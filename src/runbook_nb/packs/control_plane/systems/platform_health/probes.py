"""What is read of the platform as a whole."""

import statistics
import time
from dataclasses import asdict
from datetime import timedelta
from typing import Final

from runbook_nb.errors import NoAnswerError
from runbook_nb.packs.control_plane.impact import AFFECTED, LEAKS, LOST, measure
from runbook_nb.probes.calls import Reading, Systems, probe

HEARTBEATS: Final = """
select s.mission_id,
       s.agent_name,
       round(extract(epoch from now() - s.last_heartbeat_at), 1) as silent_s
from mission_sessions s
join missions m on m.id = s.mission_id and m.status = 'in_progress'
where s.status = 'active'
order by silent_s desc
"""
# Rows without a mission are left out: declaring an incident writes one itself.
TELEMETRY: Final = """
select round(extract(epoch from now() - max(created_at)) / 60, 2) as newest_min,
       max(created_at) as newest_at
from telemetry_events
where mission_id is not null
"""
ERRORS: Final = """
select count(*) as events,
       count(*) filter (where status = 'error') as errors
from telemetry_events
where created_at > now() - %(window)s
"""
KINDS_OF_ERROR: Final = """
select event_type, stage, count(*) as errors
from telemetry_events
where created_at > now() - %(window)s
  and status = 'error'
group by event_type, stage
order by errors desc
limit 10
"""
# No status says "failed": a mission that is blocked at Execute counts as one that failed.
OUTCOMES: Final = """
select count(*) as missions,
       count(*) filter (where status = 'blocked') as blocked
from missions
where (status = 'in_progress' and current_stage = 'Execute')
   or (status = 'blocked' and current_stage = 'Execute' and updated_at > now() - %(window)s)
   or (status = 'completed' and completed_at > now() - %(window)s)
"""
CONNECTIONS: Final = """
select count(*) as used,
       count(*) filter (where state = 'active') as active,
       current_setting('max_connections')::int as allowed
from pg_stat_activity
where backend_type = 'client backend'
"""
DEPLOYS: Final = """
select event_type,
       context ->> 'component' as component,
       context ->> 'release' as release,
       created_at,
       round(extract(epoch from now() - created_at) / 3600, 2) as hours_ago
from telemetry_events
where event_type in ('deployment_started', 'deployment_completed')
order by created_at desc
limit 4
"""


@probe(unit="%")
def missions_affected(systems: Systems, *, window: timedelta) -> Reading:
    """Return the share of live missions that are impaired or unseen, in percent."""
    database = systems.database()
    radius = measure(database, window=window)
    if not radius.live:
        message = "No mission is live, so none can be affected."
        raise NoAnswerError(message)
    rows = database.rows(AFFECTED, window=window)
    share = 100 * radius.affected / radius.live
    return Reading(value=round(share, 1), detail=rows, impact=radius.impact)


@probe(unit="%")
def tenants_affected(systems: Systems, *, window: timedelta) -> Reading:
    """Return the share of tenants with live missions that have an affected one, in percent."""
    radius = measure(systems.database(), window=window)
    if not radius.tenants:
        message = "No tenant has a live mission, so none can be affected."
        raise NoAnswerError(message)
    share = 100 * radius.tenants_affected / radius.tenants
    return Reading(value=round(share, 1), detail=asdict(radius), impact=radius.impact)


@probe(unit="")
def severity(systems: Systems, *, window: timedelta) -> Reading:
    """Name the severity that the blast radius makes it: SEV1, SEV2, SEV3 or none."""
    radius = measure(systems.database(), window=window)
    detail = {"said": radius.said, **asdict(radius)}
    return Reading(value=radius.severity, detail=detail, impact=radius.impact)


@probe(unit="s")
def heartbeat_age(systems: Systems) -> Reading:
    """Return the seconds since the last beat of the live session that is silent the longest."""
    rows = systems.database().rows(HEARTBEATS)
    if not rows:
        message = "No mission is live, so no beat is due."
        raise NoAnswerError(message)
    return Reading(value=float(rows[0]["silent_s"]), detail=rows)


@probe(unit="min")
def telemetry_age(systems: Systems) -> Reading:
    """Return the minutes since the newest event of a mission was stored."""
    row = systems.database().row(TELEMETRY)
    if row["newest_min"] is None:
        message = "There is no telemetry of any mission."
        raise NoAnswerError(message)
    return Reading(value=float(row["newest_min"]), detail=row)


@probe(unit="%")
def error_share(systems: Systems, *, window: timedelta) -> Reading:
    """Return the share of events with the status error, in percent."""
    database = systems.database()
    row = database.row(ERRORS, window=window)
    if not row["events"]:
        message = "No event was stored in the window, so there is no share of errors."
        raise NoAnswerError(message)
    kinds = database.rows(KINDS_OF_ERROR, window=window)
    return Reading(value=round(100 * row["errors"] / row["events"], 2), detail=[row, *kinds])


@probe(unit="%")
def mission_success(systems: Systems, *, window: timedelta) -> Reading:
    """Return the share of missions in execution or just ended that were not blocked, in percent."""
    row = systems.database().row(OUTCOMES, window=window)
    if not row["missions"]:
        message = "No mission was in execution in the window."
        raise NoAnswerError(message)
    return Reading(value=round(100 * (1 - row["blocked"] / row["missions"]), 1), detail=row)


@probe(unit="%")
def connections_used(systems: Systems) -> Reading:
    """Return the share of the database's connections that are in use, in percent."""
    row = systems.database().row(CONNECTIONS)
    return Reading(value=round(100 * row["used"] / row["allowed"], 1), detail=row)


@probe(unit="ms")
def database_answers(systems: Systems, *, samples: int = 5) -> Reading:
    """Return how long the database takes to answer the simplest question, the median of a few."""
    database = systems.database()
    database.value("select 1")  # The first one pays for the connection.
    took_ms = []
    for _sample in range(samples):
        began = time.perf_counter()
        database.value("select 1")
        took_ms.append(round((time.perf_counter() - began) * 1000, 2))
    return Reading(value=statistics.median(took_ms), detail={"took_ms": took_ms})


@probe(unit="", timeout_s=12)
def user_interface(systems: Systems) -> Reading:
    """Ask the edge for the root page, as a browser does, and return the HTTP status."""
    response = systems.http("edge").get("/")
    return Reading(value=response.status_code, detail={"headers": dict(response.headers)})


@probe(unit="missions")
def lost_rows(systems: Systems) -> Reading:
    """Count missions whose stage rows or evidence are gone."""
    rows = systems.database().rows(LOST)
    return Reading(value=len({row["mission_id"] for row in rows}), detail=rows[:20])


@probe(unit="signs")
def leak_signals(systems: Systems) -> Reading:
    """Count signs of a leak within 24 h; the rows themselves are not shown."""
    rows = systems.database().rows(LEAKS)
    return Reading(value=sum(row["rows"] for row in rows), detail=rows)


@probe(unit="missions")
def impaired_since_deploy(systems: Systems, *, window: timedelta, within: timedelta) -> Reading:
    """Count impaired missions if something was deployed ``within`` this time, else none."""
    database = systems.database()
    deploys = database.rows(DEPLOYS)
    if not deploys:
        message = "No deployment was ever recorded, so none can be suspected."
        raise NoAnswerError(message)
    recent = float(deploys[0]["hours_ago"]) * 3600 < within.total_seconds()
    impaired = measure(database, window=window).impaired if recent else 0
    return Reading(value=impaired, detail=deploys)
