"""What is read of telemetry before and after a deploy."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from runbook_nb.errors import NoAnswerError
from runbook_nb.probes.calls import Reading, Systems, probe

# Fewer events are one user's luck.
SAMPLES: Final = 20
# The platform's target for errors; a quiet time before the deploy counts as this, not as zero.
ERROR_TARGET: Final = 1.0
FIGURES: Final = """
select count(*) as events,
       round(100.0 * count(*) filter (where status = 'error') / nullif(count(*), 0), 2)
           as error_percent,
       count(*) filter (where context ? 'duration_ms') as calls,
       percentile_cont(0.95) within group (order by
           case when context ->> 'duration_ms' ~ '^[0-9.]+$'
                then (context ->> 'duration_ms')::numeric end) as p95_ms
from telemetry_events
where created_at >= %(since)s
  and created_at < %(before)s
  and event_type not in ('session_heartbeat', 'streaming_heartbeat_metrics')
"""
ERRORS: Final = """
select event_type,
       coalesce(context ->> 'error_code', 'none') as error_code,
       count(*) as errors
from telemetry_events
where created_at >= %(since)s
  and created_at < %(before)s
  and status = 'error'
group by event_type, error_code
order by errors desc
limit 5
"""


@probe(unit="")
def since_deploy(
    systems: Systems, *, window: timedelta, within: timedelta, baseline: timedelta, times: float
) -> Reading:
    """Say whether errors or latency are ``times`` what they were, and whether a deploy explains it.

    Answers ``no recent deploy`` or ``as before``; ``errors risen``, ``slower`` or both when a
    release that went live ``within`` the time explains it; the same words with ``, without a
    deploy`` when none does. Errors are a share of events, latency the p95 of ``duration_ms``; both
    are read over at most a ``window`` after the deploy, and over the ``baseline`` before it, or
    over the last ``window`` when there was no recent deploy. Raises NoAnswerError
    when fewer than 20 events followed the deploy.
    """
    now = systems.database().value("select clock_timestamp()")
    release, deployed = _newest_live(systems)
    recent = deployed > now - within
    since = deployed if recent else now - window
    after = _figures(systems, since, min(now, since + window))
    before = _figures(systems, since - baseline, since)
    if recent and after["events"] < SAMPLES:
        message = f"Only {after['events']} events since {release} went live; {SAMPLES} are needed."
        raise NoAnswerError(message)
    worse = _worse(before, after, times)
    return Reading(
        value=_answer(worse, recent=recent),
        detail={
            "newest live release": {"release": release, "live since": deployed},
            "before": before,
            "after": after,
            "errors": systems.database().rows(ERRORS, since=since, before=now),
        },
    )


def _answer(worse: list[str], *, recent: bool) -> str:
    said = " and ".join(worse)
    if recent:
        return said or "as before"
    return f"{said}, without a deploy" if said else "no recent deploy"


def _worse(before: dict[str, Any], after: dict[str, Any], times: float) -> list[str]:
    """Name what is worse by so many times; figures of fewer than 20 events say nothing."""
    found = []
    if after["events"] >= SAMPLES:
        usual = max(ERROR_TARGET, before["error_percent"] or 0)
        if after["error_percent"] >= times * usual:
            found.append("errors risen")
    timed = min(after["calls"], before["calls"]) >= SAMPLES
    if timed and after["p95_ms"] >= times * before["p95_ms"]:
        found.append("slower")
    return found


def _figures(systems: Systems, since: datetime, before: datetime) -> dict[str, Any]:
    row = systems.database().row(FIGURES, since=since, before=before)
    return {name: None if value is None else float(value) for name, value in row.items()}


def _newest_live(systems: Systems) -> tuple[str, datetime]:
    """Return the newest release that UI or agent run, and when it was deployed."""
    vercel, project = systems.http("vercel"), systems.setting("vercel", "project")
    found = vercel.get(f"/v9/projects/{project}").raise_for_status().json()
    live = {found["targets"]["production"]["meta"].get("release")}
    machines = systems.http("fly").get(f"/v1/apps/{systems.setting('fly', 'app')}/machines")
    for machine in machines.raise_for_status().json():
        live.add(machine["config"].get("metadata", {}).get("release"))
    params = {"projectId": project, "target": "production", "limit": "100"}
    listed = vercel.get("/v6/deployments", params=params).raise_for_status().json()
    dated = [
        (int(one["created"]), str(one["meta"]["release"]))
        for one in listed["deployments"]
        if one.get("meta", {}).get("release") in live - {None}
    ]
    if not dated:
        message = "No live release is listed among the deployments, so its time is not known."
        raise NoAnswerError(message)
    created, release = max(dated)
    return release, datetime.fromtimestamp(created / 1000, tz=UTC)
