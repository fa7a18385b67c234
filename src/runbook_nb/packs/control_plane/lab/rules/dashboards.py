"""Alert rules over the dashboards, with the thresholds of the platform."""

from typing import Any, Final

from runbook_nb.packs.control_plane.lab.rules.rule import AlertRule, sql
from runbook_nb.packs.control_plane.lab.state import LabState
from runbook_nb.timeline.store.embedded.files import read_secret

_CLAIMS: Final = '{"role": "authenticated", "roles": ["analytics"]}'
_BECOME: Final = """
select set_config('request.jwt.claims', %(claims)s, true),
       set_config('role', 'authenticated', true)
"""
_BEHIND: Final = """
select (select count(*) from executive_summary_mv), (select count(*) from adoption_funnel_mv)
"""
_SHOWN: Final = """
select (select count(*) from executive_summary), (select count(*) from adoption_funnel)
"""


def _rows_hidden(lab: LabState, connection: Any) -> bool:
    """Look at two dashboards as an analyst does: as the role that may."""
    import psycopg

    behind = connection.execute(_BEHIND).fetchone()
    viewer = psycopg.connect(read_secret(lab.folder, "viewer.dsn"), autocommit=True)
    with viewer, viewer.transaction(force_rollback=True):
        viewer.execute(_BECOME, {"claims": _CLAIMS})
        return bool(viewer.execute(_SHOWN).fetchone() != behind)


RULES: Final = (
    AlertRule(
        name="DashboardsStale",
        severity="warning",
        service="dashboards",
        summary="The dashboards were not refreshed for 26 hours, or their job is held or fails.",
        # Whoever refreshes by hand tells it by an event: the views are as new then.
        fires=sql(r"""
            with run as (
                select d.*
                from cron.job j
                join cron.job_run_details d using (jobid)
                where j.jobname = 'refresh_analytics_views'),
            refreshed as (
                select max(at) as at
                from (select end_time as at from run where status = 'succeeded'
                      union all
                      select created_at from telemetry_events
                      where event_type = 'metrics_refresh_completed') as each)
            select coalesce(refreshed.at, '-infinity') < now() - interval '26 h'
                or not exists (select from cron.job
                               where jobname = 'refresh_analytics_views' and active)
                or exists (select from run
                           where status = 'failed'
                             and start_time > coalesce(refreshed.at, '-infinity'))
            from refreshed
            """),
    ),
    AlertRule(
        name="DashboardFiguresWrong",
        severity="warning",
        service="dashboards",
        summary="A figure of an earlier week differs by more than a tenth from its source.",
        fires=sql("""
            with week as (
                select date_trunc('week', now()) - n * interval '7 d' as week
                from generate_series(2, 3) as n),
            source as (
                select count(*) as created,
                       count(*) filter (where status = 'completed') as completed,
                       avg(extract(epoch from completed_at - created_at) / 3600) as hours
                from missions
                where date_trunc('week', created_at) in (select week from week)),
            shown as (
                select (select coalesce(sum(missions_created), 0) from adoption_funnel_mv
                         where week in (select week from week)) as created,
                       (select coalesce(sum(completed_missions), 0) from executive_summary_mv
                         where week in (select week from week)) as completed,
                       (select sum(avg_time_to_complete_hours * completed_missions)
                               / nullif(sum(completed_missions), 0) from executive_summary_mv
                         where week in (select week from week)) as hours)
            select abs(shown.created - source.created) > 0.1 * source.created
                or abs(shown.completed - source.completed) > 0.1 * source.completed
                or abs(shown.hours - source.hours) > 0.1 * source.hours
            from source, shown
            """),
    ),
    AlertRule(
        name="DashboardHidesRows",
        severity="warning",
        service="dashboards",
        summary="An analyst is shown fewer rows of a dashboard than are behind it.",
        fires=_rows_hidden,
    ),
    AlertRule(
        name="MissionsUnusual",
        severity="info",
        service="dashboards",
        summary="A tenant created far more missions in a day than on that day of earlier weeks.",
        fires=sql("""
            select coalesce(bool_or(now_count > 4 * before + 20), false)
            from (
                select count(*) filter (where created_at > now() - interval '24 h') as now_count,
                       count(*) filter (where created_at between now() - interval '8 d'
                                                            and now() - interval '7 d') as before
                from missions
                group by tenant_id) as tenant
            """),
    ),
)
