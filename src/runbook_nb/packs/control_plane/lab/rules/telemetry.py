"""Alert rules over telemetry itself, with the thresholds of the platform."""

from typing import Final

from runbook_nb.packs.control_plane.lab.rules.rule import AlertRule, sql

RULES: Final = (
    AlertRule(
        name="TelemetryUnseenWork",
        severity="critical",
        service="telemetry",
        summary="A live session beats, and its events have been missing for three beats.",
        fires=sql("""
            select exists (
                select from mission_sessions s
                join missions m on m.id = s.mission_id and m.status = 'in_progress'
                where s.status = 'active'
                  and s.last_heartbeat_at > now() - interval '30 s'
                  and coalesce(
                      (select max(t.created_at) from telemetry_events t
                       where t.mission_id = s.mission_id and t.agent_name = s.agent_name),
                      '-infinity') < s.last_heartbeat_at - interval '3 s')
            """),
    ),
    AlertRule(
        name="TelemetryWritersRefused",
        severity="critical",
        service="telemetry",
        summary="The role that writes events may not insert them.",
        fires=sql("""
            select not has_table_privilege('service_role', 'telemetry_events', 'INSERT')
            """),
    ),
    AlertRule(
        name="TelemetryGap",
        severity="warning",
        service="telemetry",
        summary="More than 1 % of a tenant's calls of a week have no event within a minute.",
        fires=sql("""
            select coalesce(bool_or(unseen > 0.01 * calls and calls >= 5), false)
            from (
                select count(*) as calls,
                       count(*) filter (where not exists (
                           select from telemetry_events t
                           where t.mission_id = a.mission_id
                             and t.created_at between a.occurred_at - interval '60 s'
                                                  and a.occurred_at + interval '60 s')) as unseen
                from composio_audit_events a
                where a.occurred_at > now() - interval '7 d'
                  and a.occurred_at < now() - interval '60 s'
                  and a.status = 'success'
                  and a.mission_id is not null
                group by a.tenant_id) as tenant
            """),
    ),
    AlertRule(
        name="TelemetryDoubled",
        severity="warning",
        service="telemetry",
        summary="Events of the last week are stored twice.",
        fires=sql("""
            select count(*) >= 10
            from (
                select from telemetry_events
                where created_at > now() - interval '7 d'
                  and mission_id is not null
                  and event_type <> 'session_heartbeat'
                  and context <> '{}'
                group by mission_id, event_type, agent_name, correlation_id, created_at, context
                having count(*) > 1) as doubled
            """),
    ),
    AlertRule(
        name="TelemetryContextEmpty",
        severity="warning",
        service="telemetry",
        summary="Events of missions were stored today without their context.",
        fires=sql("""
            select exists (
                select from telemetry_events
                where created_at > now() - interval '24 h'
                  and mission_id is not null
                  and context = '{}')
            """),
    ),
    AlertRule(
        name="TelemetryPurgeReach",
        severity="critical",
        service="telemetry",
        summary="The hourly purge keeps fewer than 180 days of events.",
        fires=sql(r"""
            select exists (
                select from pg_proc p
                join cron.job j on j.command ~ ('\m' || p.proname || '\(') and j.active
                where p.pronamespace = 'public'::regnamespace
                  and substring(p.prosrc from
                      'telemetry_events\s+where\s+created_at < now\(\) - interval ''([^'']+)''')
                      ::interval < interval '180 d')
            """),
    ),
)
