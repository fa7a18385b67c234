"""The job that refreshes the views: whether it runs, and how it ended last."""

from typing import Any, Final

from runbook_nb.probes.connections import Database

JOB: Final = """
select j.jobid, j.jobname, j.schedule, j.active, last.status, last.start_time,
       last.return_message
from cron.job j
left join lateral (
    select d.status, d.start_time, d.return_message
    from cron.job_run_details d
    where d.jobid = j.jobid
    order by d.start_time desc nulls last
    limit 1
) last on true
where j.command ~ 'refresh_analytics_views\\('
order by j.jobid
"""


def standing(database: Database) -> tuple[str, list[dict[str, Any]]]:
    """Say how the job stands: ``runs``, ``held``, ``fails`` or ``missing``."""
    rows = database.rows(JOB)
    if not rows:
        return "missing", rows
    if not any(row["active"] for row in rows):
        return "held", rows
    return ("fails" if rows[0]["status"] == "failed" else "runs"), rows
