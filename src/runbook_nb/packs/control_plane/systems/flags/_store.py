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
SHARE: Final = """
select context ->> 'feature_flag' as flag,
       count(*) as events,
       round(100.0 * count(*) filter (where status = 'error') / count(*), 1)::float
           as error_percent
from telemetry_events
where created_at > now() - %(window)s
  and context ->> 'feature_flag' = any(%(flags)s::text[])
group by flag
having count(*) >= %(samples)s
order by error_percent desc
"""


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
    """Return the share of errors behind each flag, in percent."""
    return systems.database().rows(SHARE, window=window, flags=flags, samples=SAMPLES)
