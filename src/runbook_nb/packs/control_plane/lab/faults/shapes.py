"""Rows in the shapes that variations and look-alikes need: calls, events, errors, releases.

Each function returns one SQL statement; what it leaves is healed by the journal.
"""

from typing import Final

# The live missions, numbered: four of one tenant, then four of the other.
LIVE: Final = """(
    select mission.id, mission.tenant_id,
           row_number() over (order by mission.tenant_id, mission.id) as n
      from missions as mission
      join mission_sessions as session on session.mission_id = mission.id
     where session.state ? 'runner' and mission.status = 'in_progress'
) as live"""
ONE_TENANT: Final = "n <= 4"
OTHER_TENANT: Final = "n > 4"
EVENTS: Final = "telemetry_events"
CALLS: Final = "composio_audit_events"


def calls(
    which: str,
    *,
    toolkit: str,
    each: int,
    status: str = "success",
    code: str = "",
    ago: str = "0 s",
    every: str = "2 s",
    latency_ms: int = 210,
    of: int = 1,
) -> str:
    """Return what has each live mission make calls, the newest ``ago``; one ``of`` so many so."""
    return f"""
    insert into composio_audit_events
           (mission_id, tenant_id, toolkit, action, status, outcome, latency_ms, error_code,
            retries, occurred_at)
    select live.id, live.tenant_id, '{toolkit}', upper('{toolkit}') || '_CALL',
           case when odd then '{status}' else 'success' end,
           jsonb_build_object('successful', not odd or '{status}' = 'success'), {latency_ms},
           case when odd then nullif('{code}', '') end, 0,
           now() - interval '{ago}' - number * interval '{every}'
      from {LIVE}, generate_series(0, {each - 1}) as number,
           lateral (select number % {of} = 0 as odd) as turn
     where {which}
    """


def events(
    which: str,
    *,
    each: int,
    kind: str,
    status: str = "info",
    context: str = "{}",
    stage: str = "Execute",
    ago: str = "0 s",
    every: str = "1 s",
) -> str:
    """Return what has each live mission write events, the newest ``ago``."""
    return f"""
    insert into telemetry_events
           (mission_id, tenant_id, agent_name, stage, event_type, status, context, created_at)
    select live.id, live.tenant_id, 'executor', '{stage}', '{kind}', '{status}',
           '{context}'::jsonb, now() - interval '{ago}' - number * interval '{every}'
      from {LIVE}, generate_series(0, {each - 1}) as number
     where {which}
    """


def errors(which: str, *, each: int = 80, ago: str = "0 s", every: str = "0.6 s") -> str:
    """Return what has each live mission write errors that nothing mended."""
    return events(
        which,
        each=each,
        kind="validator_alert_raised",
        status="error",
        context='{"severity": "high", "auto_fix_attempted": true, "auto_fix_status": "failed"}',
        ago=ago,
        every=every,
    )


def released(ago: str, *, release: str = "v99", component: str = "agent") -> str:
    """Return what records a release that was completed ``ago``."""
    return f"""
    insert into telemetry_events (event_type, status, context, created_at)
    values ('deployment_completed', 'success',
            '{{"component": "{component}", "release": "{release}"}}', now() - interval '{ago}')
    """
