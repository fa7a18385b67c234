"""What is read of the platform as a whole."""

import statistics
import time
import uuid
from dataclasses import asdict
from datetime import timedelta
from typing import Final

from runbook_nb.errors import NoAnswerError
from runbook_nb.packs.control_plane.impact import (
    AFFECTED,
    LEAKS,
    LOST,
    error_percent,
    error_shares,
    measure,
)
from runbook_nb.packs.control_plane.mission_state import ON_PURPOSE, WAITING
from runbook_nb.probes.calls import Reading, Systems, probe
from runbook_nb.probes.sight import age_of

# A share of fewer missions is moved by one.
MISSIONS: Final = 20
API: Final = "/api/stream/execution"

HEARTBEATS: Final = f"""
select s.mission_id,
       s.agent_name,
       s.last_heartbeat_at,
       round(extract(epoch from now() - least(s.last_heartbeat_at, s.updated_at)), 1) as silent_s
from mission_sessions s
join missions m on m.id = s.mission_id and m.status = 'in_progress'
where s.status = 'active'
  and not {WAITING}
order by silent_s desc
"""
# Rows without a mission are left out: declaring an incident writes one itself. Those of the future
# were stamped by another clock; when nobody is at work, no event is due.
TELEMETRY: Final = f"""
select now() as now,
       max(created_at) filter (where created_at <= now() + interval '5 seconds') as newest_at,
       max(created_at) filter (where created_at > now() + interval '5 seconds') as in_the_future,
       (select count(*)
        from mission_sessions s
        join missions m on m.id = s.mission_id and m.status = 'in_progress'
        where s.status = 'active'
          and not {WAITING}) as at_work
from telemetry_events
where mission_id is not null
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
# No status says "failed": a mission that is blocked at Execute counts as one that failed, unless
# it was stopped on purpose: with a reason, and without an error.
OUTCOMES: Final = f"""
with outcome as (
    select m.id,
           m.status = 'blocked' as blocked,
           {ON_PURPOSE} as on_purpose
    from missions m
    where (m.status = 'in_progress' and m.current_stage = 'Execute')
       or (m.status = 'blocked' and m.current_stage = 'Execute'
           and m.updated_at > now() - greatest(%(window)s, interval '15 minutes'))
       or (m.status = 'completed' and m.completed_at > now() - %(window)s)
)
select count(*) filter (where not (blocked and on_purpose)) as missions,
       count(*) filter (where blocked and not on_purpose) as blocked,
       count(*) filter (where blocked and on_purpose) as stopped_on_purpose
from outcome
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
       now() as now
from telemetry_events
where event_type in ('deployment_started', 'deployment_completed')
order by created_at desc
limit 4
"""
# A beat that is missing a minute before a deploy began was not stopped by it.
IMPAIRED_BEFORE: Final = """
select m.id as mission_id
from missions m
where m.id = any(%(missions)s::uuid[])
  and ((select count(*) from telemetry_events t
        where t.mission_id = m.id
          and t.status = 'error'
          and t.created_at < %(deployed)s
          and t.created_at >= %(deployed)s - interval '30 minutes') >= 3
       or (select count(*) from composio_audit_events a
           where a.mission_id = m.id
             and a.status <> 'success'
             and a.occurred_at < %(deployed)s
             and a.occurred_at >= %(deployed)s - interval '30 minutes') >= 3
       or exists (select from mission_sessions s
                  where s.mission_id = m.id
                    and s.status = 'active'
                    and least(s.last_heartbeat_at, s.updated_at)
                        < %(deployed)s - interval '1 minute'))
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
    """Return the seconds since the last beat of the live session that is silent the longest.

    A mission that waits for a person owes no beat. A beat is as old as the database says, whatever
    the agent's clock stamped.
    """
    rows = systems.database().rows(HEARTBEATS)
    if not rows:
        message = "No mission is live, so no beat is due."
        raise NoAnswerError(message)
    return Reading(value=float(rows[0]["silent_s"]), detail=rows)


@probe(unit="min")
def telemetry_age(systems: Systems) -> Reading:
    """Return the minutes since the newest event of a mission was stored.

    Raises NoAnswerError while no mission is at work: then no event is due.
    """
    row = systems.database().row(TELEMETRY)
    if not row["at_work"]:
        message = "No mission is at work, so no event is due: a quiet hour is no stall."
        raise NoAnswerError(message)
    if row["newest_at"] is None and row["in_the_future"] is None:
        message = "There is no telemetry of any mission."
        raise NoAnswerError(message)
    newest = row["newest_at"] or row["in_the_future"]
    age = age_of(newest, now=row["now"], what="The newest event")
    return Reading(value=round(age.total_seconds() / 60, 2), detail=row)


@probe(unit="%")
def error_share(systems: Systems, *, window: timedelta) -> Reading:
    """Return the share of events with the status error, in percent: the worst of several.

    Looked at are the whole window, its newest minute, and each tenant; five errors are needed for a
    part to count. Of many heartbeats an error is no smaller a share.
    """
    database = systems.database()
    shares = error_shares(database, window=window)
    if not shares:
        message = "No event was stored in the window, so there is no share of errors."
        raise NoAnswerError(message)
    kinds = database.rows(KINDS_OF_ERROR, window=window)
    return Reading(value=error_percent(shares), detail=[*shares, *kinds])


@probe(unit="%")
def mission_success(systems: Systems, *, window: timedelta) -> Reading:
    """Return the share of missions in execution or just ended that were not blocked, in percent.

    One that was stopped with a reason and without an error was stopped on purpose and is left out;
    a single failed one among fewer than 20 is one user's luck.
    """
    row = systems.database().row(OUTCOMES, window=window)
    if not row["missions"]:
        message = "No mission was in execution in the window."
        raise NoAnswerError(message)
    alone = row["blocked"] == 1 and row["missions"] < MISSIONS
    failed = 0 if alone else row["blocked"]
    return Reading(value=round(100 * (1 - failed / row["missions"]), 1), detail=row)


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
    """Count missions that are impaired since a deploy ``within`` this time, else none.

    One that failed or was silent in the half hour before the deploy is not impaired by it.
    """
    database = systems.database()
    deploys = database.rows(DEPLOYS)
    if not deploys:
        message = "No deployment was ever recorded, so none can be suspected."
        raise NoAnswerError(message)
    newest = deploys[0]
    began = min(row["created_at"] for row in deploys if row["release"] == newest["release"])
    if age_of(newest["created_at"], now=newest["now"], what="The newest deployment") >= within:
        return Reading(value=0, detail=deploys)
    impaired = [
        row["mission_id"] for row in database.rows(AFFECTED, window=window) if row["impaired"]
    ]
    before = database.rows(IMPAIRED_BEFORE, missions=impaired, deployed=began)
    earlier = [row["mission_id"] for row in before]
    return Reading(
        value=len(set(impaired) - set(earlier)),
        detail={"deployments": deploys, "impaired": impaired, "impaired before it": earlier},
    )


@probe(unit="", timeout_s=12)
def interface_api(systems: Systems) -> Reading:
    """Ask the API behind the user interface for a mission that is not there, and name the answer.

    ``ok`` is a refusal in the API's own JSON: its code ran and asked the database. Else ``HTTP
    5xx``, ``not JSON``, ``no answer`` (8 s) or ``refused``; pages may open all the same.
    """
    import httpx

    asked = {"mission_id": str(uuid.uuid4()), "session_id": "probe", "sampling": "synthetic"}
    try:
        answer = systems.http("edge").get(API, params=asked, timeout_s=8)
    except httpx.TimeoutException:
        return Reading(value="no answer", detail={"waited_s": 8})
    except httpx.TransportError as error:
        return Reading(value="refused", detail={"error": str(error)})
    kind = answer.headers.get("content-type", "").partition(";")[0]
    detail = {"status": answer.status_code, "content-type": kind}
    if answer.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
        return Reading(value=f"HTTP {answer.status_code}", detail=detail)
    return Reading(value="ok" if kind == "application/json" else "not JSON", detail=detail)
