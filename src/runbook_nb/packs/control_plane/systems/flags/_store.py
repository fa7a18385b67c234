"""Where the flags are kept, which are on, and who fails behind them."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final

from runbook_nb.packs.control_plane.systems._fly import agent_machines
from runbook_nb.probes.calls import Systems

SWITCHES: Final = ("ENABLE_PLANNER_STEP3", "EVAL_MODE", "SUPABASE_ALLOW_WRITES")
# Fewer events are one user's luck.
SAMPLES: Final = 20
HAS_TABLE: Final = "select to_regclass('public.feature_flags') is not null"
ENABLED: Final = "select flag_name from feature_flags where enabled order by flag_name"
# A flag is compared with what runs without it: events of the same kinds that no flag of this name
# stands behind. The newest tenth of the window tells of trouble that has only begun.
SHARE: Final = """
with part as (
    select part, now() - %(window)s * part as since
    from unnest('{0.1,1}'::float[]) as part
),
event as (
    select part.part,
           event_type,
           context ->> 'feature_flag' as flag,
           status = 'error' as failed
    from telemetry_events
    join part on created_at > part.since
    where created_at <= now() + interval '5 seconds'
),
behind as (
    select part, flag, count(*) as events, count(*) filter (where failed) as errors,
           array_agg(distinct event_type) as kinds
    from event
    where flag = any(%(flags)s::text[])
    group by part, flag
),
outside as (
    select behind.part, behind.flag, count(event.part) as events,
           count(*) filter (where event.failed) as errors
    from behind
    left join event
      on event.part = behind.part
     and event.event_type = any(behind.kinds)
     and event.flag is distinct from behind.flag
    group by behind.part, behind.flag
)
select behind.flag,
       behind.part,
       behind.events,
       behind.errors,
       round(100.0 * behind.errors / behind.events, 1)::float as error_percent,
       outside.events as events_outside,
       round(100.0 * outside.errors / nullif(outside.events, 0), 1)::float
           as error_percent_outside,
       outside.events >= %(samples)s
       and outside.errors >= %(least)s
       and outside.errors * behind.events * 2 >= behind.errors * outside.events as alike_outside
from behind
join outside using (part, flag)
where behind.events >= %(samples)s
  and behind.errors >= %(least)s
order by alike_outside, error_percent desc
"""
ANYTHING: Final = """
select count(*) as events
from telemetry_events
where created_at > now() - %(window)s
  and event_type not in ('session_heartbeat', 'streaming_heartbeat_metrics')
"""
LEAST_ERRORS: Final = 3


def store_of(systems: Systems) -> str:
    """Say where the flags are kept: in a table, or in the environment of the agent."""
    return "table" if systems.database().value(HAS_TABLE) else "environment of the agent"


def enabled_flags(systems: Systems) -> list[str]:
    """Return the names of the flags that are on."""
    if store_of(systems) == "table":
        return [row["flag_name"] for row in systems.database().rows(ENABLED)]
    return sorted({name for machine in agent_machines(systems) for name in _switched_on(machine)})


def _switched_on(machine: dict[str, Any]) -> Iterator[str]:
    environment = machine["config"].get("env", {})
    return (name for name in SWITCHES if environment.get(name, "").lower() in ("1", "true"))


def error_shares(systems: Systems, flags: list[str], window: timedelta) -> list[dict[str, Any]]:
    """Return the share of errors behind flags and outside, in percent; those alike outside last."""
    return systems.database().rows(
        SHARE, window=window, flags=flags, samples=SAMPLES, least=LEAST_ERRORS
    )


def failing_flags(systems: Systems, window: timedelta) -> list[dict[str, Any]]:
    """Return the flags behind which errors are twice what they are outside, the worst first."""
    shares = error_shares(systems, enabled_flags(systems), window)
    worst: dict[str, dict[str, Any]] = {}
    for share in shares:
        if not share["alike_outside"]:
            worst.setdefault(share["flag"], share)
    return list(worst.values())
