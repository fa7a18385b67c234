"""Alert rules over the platform as a whole, with the thresholds of the platform."""

from typing import Final

from runbook_nb.packs.control_plane.lab.rules.rule import AlertRule, sql

RULES: Final = (
    AlertRule(
        name="PlatformImpaired",
        severity="critical",
        service="platform",
        summary="A quarter of the live missions or more stand still.",
        fires=sql("""
            select count(*) filter (where s.last_heartbeat_at < now() - interval '90 s') >=
                   greatest(1, 0.25 * count(*))
            from mission_sessions s
            join missions m on m.id = s.mission_id and m.status = 'in_progress'
            where s.status = 'active'
            """),
    ),
    AlertRule(
        name="PlatformSilent",
        severity="critical",
        service="platform",
        summary="No event of a mission was stored for 15 minutes while missions are live.",
        fires=sql("""
            select (select max(created_at) from telemetry_events where mission_id is not null)
                   < now() - interval '15 min'
               and exists (select from mission_sessions where status = 'active')
            """),
    ),
    AlertRule(
        name="ToolCallsFailing",
        severity="warning",
        service="platform",
        summary="More than a tenth of the tool calls of the last 5 minutes failed.",
        fires=sql("""
            select count(*) filter (where status <> 'success') >= 3
               and count(*) filter (where status <> 'success') > 0.1 * count(*)
            from composio_audit_events
            where occurred_at > now() - interval '5 min'
            """),
    ),
    AlertRule(
        name="ErrorRateHigh",
        severity="critical",
        service="platform",
        summary="More than 5 % of the events of a minute were errors, and 50 at least.",
        # A few are of one thing, which has a rule of its own. How much of a minute they are would
        # depend on how many beats came in it.
        fires=sql("""
            select exists (
                select from telemetry_events
                where created_at > now() - interval '15 min'
                group by date_trunc('minute', created_at)
                having count(*) filter (where status = 'error') >= 50
                   and count(*) filter (where status = 'error') > 0.05 * count(*))
            """),
    ),
    AlertRule(
        name="SecretInTelemetry",
        severity="critical",
        service="platform",
        summary="An event of the last hour holds what looks like a bearer token.",
        fires=sql(r"""
            select exists (
                select from telemetry_events
                where created_at > now() - interval '1 h'
                  and event_type <> 'session_heartbeat'
                  and context::text ~* '\mbearer [a-z0-9._-]{16,}')
            """),
    ),
    AlertRule(
        name="IncidentLeftOpen",
        severity="warning",
        service="platform",
        summary="An incident has been declared for more than an hour and is not resolved.",
        fires=sql("""
            select exists (
                select from telemetry_events opened
                where opened.event_type = 'incident_opened'
                  and opened.created_at < now() - interval '1 h'
                  and not exists (
                      select from telemetry_events resolved
                      where resolved.event_type = 'incident_resolved'
                        and resolved.context ->> 'bd_issue' = opened.context ->> 'bd_issue'))
            """),
    ),
)
