"""Alert rules for the heartbeat, with the thresholds of the platform."""

from typing import Any, Final

from runbook_nb.packs.control_plane.lab.inspection import NO_CERTIFICATES, is_healthy
from runbook_nb.packs.control_plane.lab.rules.rule import AlertRule, sql
from runbook_nb.packs.control_plane.lab.state import LabState

# Beats, five of each live session, before figures about them mean something.
SETTLED: Final = 40
STREAM_PATIENCE_S: Final = 7.0

BEATS: Final = """
select {figure} from telemetry_events
where event_type = 'session_heartbeat' and agent_name is not null
  and created_at > now() - make_interval(secs => %(window)s)
  and created_at > coalesce(
      (select max(created_at) from telemetry_events
       where event_type = 'error_recovery_triggered'), '-infinity')
"""


def _health_fails(lab: LabState, _connection: Any) -> bool:
    return not is_healthy(lab.ports["agent"])


def _stream_stalls(lab: LabState, connection: Any) -> bool:
    """Open a stream as a browser does, and see whether anything comes at once."""
    import httpx

    row = connection.execute(
        "select mission_id from mission_sessions where status = 'active' limit 1"
    ).fetchone()
    parameters = {"mission_id": str(row[0]), "session_id": "monitoring", "sampling": "synthetic"}
    url = f"http://127.0.0.1:{lab.ports['edge']}/api/stream/execution"
    try:
        with httpx.stream(
            "GET", url, params=parameters, timeout=STREAM_PATIENCE_S, verify=NO_CERTIFICATES
        ) as response:
            return not next(response.iter_text(), "")
    except httpx.HTTPError:
        return True


RULES: Final = (
    AlertRule(
        name="AgentHealthFailing",
        severity="critical",
        summary="The agent does not answer /health within a second.",
        fires=_health_fails,
    ),
    AlertRule(
        name="AgentHeartbeatMissing",
        severity="critical",
        summary="A live session has not beaten for more than 90 s.",
        fires=sql("""
            select exists (
                select from mission_sessions s
                join missions m on m.id = s.mission_id and m.status = 'in_progress'
                where s.status = 'active' and s.last_heartbeat_at < now() - interval '90 s')
            """),
    ),
    AlertRule(
        name="MissionsPerMachineHigh",
        severity="warning",
        summary="A machine of the agent runs more than 20 live missions.",
        fires=sql("""
            with machines as (
                select count(distinct application_name) as there
                from pg_stat_activity where application_name like 'agent-%%'
            )
            select there > 0 and (
                select count(distinct s.mission_id) > 20 * there
                from mission_sessions s
                join missions m on m.id = s.mission_id and m.status = 'in_progress'
                where s.status = 'active')
            from machines
            """),
    ),
    AlertRule(
        name="SSEHeartbeatLagHigh",
        severity="critical",
        summary="SSE heartbeat lag is above 8 s at the 95th percentile.",
        fires=sql(
            BEATS.format(
                figure="coalesce(percentile_cont(0.95) within group "
                "(order by (context ->> 'lag_ms')::numeric) > 8000, false)"
            )
        ),
    ),
    AlertRule(
        name="StreamReconnectStorm",
        severity="warning",
        summary="A session opens its stream more than three times a minute.",
        fires=sql("""
            select exists (
                select from workspace_stream_sessions
                where connected_at > now() - make_interval(secs => %(window)s)
                  and sampling_mode is distinct from 'synthetic'
                group by session_id
                having count(*) * 60 / %(window)s > 3)
            """),
    ),
    AlertRule(
        name="AgentSessionsSilent",
        severity="warning",
        summary="Sessions are marked active that have not beaten for 90 s.",
        fires=sql("""
            select exists (
                select from mission_sessions
                where status = 'active' and last_heartbeat_at < now() - interval '90 s')
            """),
    ),
    AlertRule(
        name="HeartbeatLagUnreadable",
        severity="warning",
        summary="Beats carry a lag that the operations dashboard cannot read.",
        fires=sql(
            BEATS.format(figure=f"count(*) >= {SETTLED} and bool_or(context ->> 'lag_ms' ~ '[.]')")
        ),
    ),
    AlertRule(
        name="StreamStalled",
        severity="critical",
        summary="A test stream through the edge delivers nothing.",
        fires=_stream_stalls,
    ),
)
