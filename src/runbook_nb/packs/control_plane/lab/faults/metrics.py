"""Faults of the dashboards: their refresh stops, or one is altered."""

from typing import Final

from runbook_nb.packs.control_plane.lab.faults.fault import Fault
from runbook_nb.packs.control_plane.lab.faults.metrics_rows import REFRESH, flood, heal_flood
from runbook_nb.packs.control_plane.lab.faults.metrics_schema import restore_schema
from runbook_nb.packs.control_plane.lab.faults.outside import first_value, superuser
from runbook_nb.packs.control_plane.lab.state import LabState

# The views as two days ago had them: what was completed since is not in them yet.
_STALE: Final = """
SET LOCAL session_replication_role = replica;
CREATE TEMPORARY TABLE late ON COMMIT DROP AS
SELECT id, status, completed_at FROM missions WHERE completed_at > now() - interval '50 hours';
UPDATE missions SET status = 'in_progress', completed_at = NULL
 WHERE id IN (SELECT id FROM late);
{refresh}
UPDATE missions AS mission SET status = late.status, completed_at = late.completed_at
  FROM late WHERE late.id = mission.id;
"""
_AGE_RUNS: Final = """
CREATE SCHEMA IF NOT EXISTS aside_refresh;
CREATE TABLE IF NOT EXISTS aside_refresh.run AS
SELECT runid FROM cron.job_run_details
 WHERE command ~ 'refresh_analytics_views' AND start_time > now() - interval '{hours} hours';
UPDATE cron.job_run_details SET {change} WHERE runid IN (SELECT runid FROM aside_refresh.run);
"""
_OLD: Final = (
    "start_time = start_time - interval '30 days', end_time = end_time - interval '30 days'"
)
_FAILED: Final = "status = 'failed', return_message = 'ERROR:  canceling statement due to timeout'"
_YOUNG_RUNS: Final = """
UPDATE cron.job_run_details
   SET start_time = start_time + interval '30 days', end_time = end_time + interval '30 days'
 WHERE runid IN (SELECT runid FROM aside_refresh.run)
   AND start_time < now() - interval '29 days';
UPDATE cron.job_run_details SET status = 'succeeded', return_message = '1 row'
 WHERE runid IN (SELECT runid FROM aside_refresh.run);
DROP SCHEMA aside_refresh CASCADE;
"""
_HOLD: Final = "UPDATE cron.job SET active = false WHERE jobname = 'refresh_analytics_views'"
_EMPTY: Final = "UPDATE cron.job SET command = 'select 1' WHERE jobname = 'refresh_analytics_views'"
_RELEASE: Final = """
UPDATE cron.job SET active = true, command = 'select public.refresh_analytics_views()'
 WHERE jobname = 'refresh_analytics_views'
"""
_FORGET_TOLD: Final = "DELETE FROM telemetry_events WHERE event_type = 'metrics_refresh_completed'"
_HIDE: Final = """
CREATE OR REPLACE VIEW {view} WITH (security_barrier = true) AS
SELECT {columns} FROM {view}_mv WHERE {which}
"""


def stop_refresh(lab: LabState, *, hours: int = 50, held: bool = True, change: str = _OLD) -> None:
    """Have the views as they were two days ago, and no run of their job since that ended well."""
    _heal_runs(lab)
    with superuser(lab) as connection, connection.transaction():
        connection.execute(_STALE.format(refresh=REFRESH).encode())
        connection.execute(_AGE_RUNS.format(hours=hours, change=change).encode())
        if held:
            connection.execute(_HOLD)


def heal_refresh(lab: LabState) -> None:
    """Let the job run, give its runs their times again, and refresh the views."""
    _heal_runs(lab)
    with superuser(lab) as connection:
        connection.execute(_RELEASE)
        connection.execute(_FORGET_TOLD)
        connection.execute(REFRESH)


def stop_refresh_on_a_busy_day(lab: LabState) -> None:
    """Have old views, and beside them a day that is only busy."""
    stop_refresh(lab)
    flood(lab, missions=3)


def heal_both(lab: LabState) -> None:
    """Forget the busy day, and refresh again."""
    heal_flood(lab)
    heal_refresh(lab)


def _heal_runs(lab: LabState) -> None:
    with superuser(lab) as connection:
        if first_value(connection, "SELECT to_regnamespace('aside_refresh') IS NOT NULL"):
            connection.execute(_YOUNG_RUNS)


def hide_rows(
    lab: LabState, *, view: str = "executive_summary", columns: str = "*", which: str = ""
) -> None:
    """Release a dashboard with other columns, or that asks for a role which no viewer has."""
    asked = which or "has_role('executive') OR tenant_id = current_tenant_id()"
    with superuser(lab) as connection:
        connection.execute(_HIDE.format(view=view, columns=columns, which=asked).encode())


def empty_job(lab: LabState) -> None:
    """Have the job run a command that refreshes nothing."""
    with superuser(lab) as connection:
        connection.execute(_EMPTY)


FAULTS = (
    Fault(
        name="refresh_stopped",
        title="The job that refreshes the dashboards is held, and they are two days old",
        inject=stop_refresh,
        heal=heal_refresh,
    ),
    Fault(
        name="refresh_stopped.failing",
        title="The job that refreshes the dashboards has failed for two days",
        inject=lambda lab: stop_refresh(lab, held=False, change=_FAILED),
        heal=heal_refresh,
    ),
    Fault(
        name="refresh_stopped.emptied",
        title="The job that refreshes the dashboards runs a command that does nothing",
        inject=empty_job,
        heal=heal_refresh,
    ),
    Fault(
        name="refresh_stopped.held_young",
        title="The job that refreshes the dashboards was held just now",
        inject=lambda lab: stop_refresh(lab, hours=0),
        heal=heal_refresh,
    ),
    Fault(
        name="refresh_stopped.busy_day",
        title="The dashboards are two days old, on a day that is only busy",
        inject=stop_refresh_on_a_busy_day,
        heal=heal_both,
    ),
    Fault(
        name="dashboard_hides",
        title="A dashboard asks for a role that no viewer has",
        inject=hide_rows,
        heal=restore_schema,
    ),
    Fault(
        name="dashboard_hides.some",
        title="A dashboard leaves the newest week out",
        inject=lambda lab: hide_rows(
            lab,
            view="adoption_funnel",
            which="has_role('analytics') AND week < (SELECT max(week) FROM adoption_funnel_mv)",
        ),
        heal=restore_schema,
    ),
    Fault(
        name="dashboard_hides.one_tenant",
        title="A dashboard leaves one tenant out",
        inject=lambda lab: hide_rows(
            lab,
            which="has_role('analytics') AND tenant_id <> (SELECT max(tenant_id::text)::uuid"
            " FROM executive_summary_mv)",
        ),
        heal=restore_schema,
    ),
    Fault(
        name="dashboard_hides.all",
        title="A dashboard shows nothing to anybody",
        inject=lambda lab: hide_rows(lab, view="agent_performance", which="false"),
        heal=restore_schema,
    ),
    Fault(
        name="dashboard_hides.figures",
        title="A dashboard shows every row, and twice the completed missions",
        inject=lambda lab: hide_rows(
            lab,
            columns="tenant_id, week, 2 * completed_missions AS completed_missions,"
            " active_missions, avg_time_to_complete_hours, persona_count",
            which="has_role('analytics')",
        ),
        heal=restore_schema,
    ),
)
