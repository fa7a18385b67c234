"""Alert rules about releases: errors, latency, and a UI and an agent that do not belong together.

Heartbeats are left out of the shares, as there are so many that they would hide the rest.
"""

from typing import Any, Final

from runbook_nb.packs.control_plane.lab.emulators.vercel import PROJECT
from runbook_nb.packs.control_plane.lab.fly import APP
from runbook_nb.packs.control_plane.lab.inspection import NO_CERTIFICATES
from runbook_nb.packs.control_plane.lab.rules.rule import AlertRule, sql
from runbook_nb.packs.control_plane.lab.state import LabState
from runbook_nb.timeline.store.embedded.files import read_secret

_ANSWER_WITHIN_S: Final = 2.0


def _pair_is_broken(lab: LabState, _connection: Any) -> bool:
    """Compare the release that is live at Vercel with those of the agent's machines."""
    import httpx

    try:
        project = _get(lab, "vercel", f"/v9/projects/{PROJECT}")
        machines = _get(lab, "fly", f"/v1/apps/{APP}/machines")
    except httpx.HTTPError:
        return False
    live = project["targets"]["production"]["meta"].get("release")
    return any(one["config"].get("metadata", {}).get("release") != live for one in machines)


def _get(lab: LabState, partner: str, path: str) -> Any:
    import httpx

    token = read_secret(lab.folder, f"{partner}.token")
    answer = httpx.get(
        f"http://127.0.0.1:{lab.ports[partner]}{path}",
        headers={"authorization": f"Bearer {token}"},
        timeout=_ANSWER_WITHIN_S,
        trust_env=False,
        verify=NO_CERTIFICATES,
    )
    return answer.raise_for_status().json()


RULES: Final = (
    AlertRule(
        name="ReleaseErrorsHigh",
        severity="critical",
        summary="More than 5 % of the platform's events are errors.",
        service="release",
        fires=sql("""
            select count(*) >= 20
               and count(*) filter (where status = 'error') > 0.05 * count(*)
            from telemetry_events
            where created_at > now() - make_interval(secs => %(window)s)
              and event_type not in ('session_heartbeat', 'streaming_heartbeat_metrics')
            """),
    ),
    AlertRule(
        name="ReleaseLatencyDoubled",
        severity="warning",
        summary="Steps take more than twice as long as in the day before, at the 95th percentile.",
        service="release",
        fires=sql("""
            with step as (
                select created_at > now() - make_interval(secs => %(window)s) as recent,
                       (context ->> 'duration_ms')::numeric as ms
                from telemetry_events
                where event_type = 'execution_step_completed'
                  and created_at > now() - interval '1 day'
                  and context ->> 'duration_ms' ~ '^[0-9.]+$'
            )
            select count(*) filter (where recent) >= 20
               and percentile_cont(0.95) within group (order by ms) filter (where recent)
                   > 2 * percentile_cont(0.95) within group (order by ms) filter (where not recent)
            from step
            """),
    ),
    AlertRule(
        name="ReleasePairBroken",
        severity="critical",
        summary="UI and agent run different releases.",
        service="release",
        fires=_pair_is_broken,
    ),
)
