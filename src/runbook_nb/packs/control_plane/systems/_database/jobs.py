"""The platform's own scheduled jobs."""

from collections.abc import Mapping
from typing import Any, Final

from runbook_nb.probes.baseline import Difference, Items, Part
from runbook_nb.probes.calls import Systems

LIVE_JOBS: Final = """
select jobid, jobname, schedule, command, username, database, active
from cron.job
order by jobid
"""


def call_the_same(job: Mapping[str, Any], committed: Mapping[str, Any]) -> bool:
    """Tell whether a job calls what is committed, as often as is said of it."""
    calls, should = (" ".join(each["command"].lower().split()) for each in (job, committed))
    return should in calls and committed.get("schedule", job["schedule"]) == job["schedule"]


def _take(systems: Systems) -> Items:
    return {
        row["jobname"]: {"command": row["command"], "schedule": row["schedule"]}
        for row in systems.database().rows(LIVE_JOBS)
        if row["active"]
    }


def _differing(systems: Systems, committed: Items) -> list[Difference]:
    """Return the jobs that are not as committed; one that was added takes nothing away."""
    live = _take(systems)
    return [
        Difference(item=name, committed=should, found=live.get(name))
        for name, should in committed.items()
        if name not in live or not call_the_same(live[name], should)
    ]


# Each is named as the function that it calls: refresh of the views, two purges, embeddings.
JOBS: Final = Part(
    name="jobs",
    about="Active jobs of pg_cron: what each calls, and when.",
    take=_take,
    differing=_differing,
    brought={
        name: {"command": name}
        for name in (
            "refresh_analytics_views",
            "cleanup_telemetry_events",
            "cleanup_mission_sessions",
            "refresh_library_embeddings",
        )
    },
)
