"""Errors and latency of what missions do, in the times around a deploy."""

from datetime import datetime, timedelta
from typing import Any, Final

from runbook_nb.probes.calls import Systems

# Fewer events are one user's luck, and so are fewer errors.
SAMPLES: Final = 20
ERRORS_COUNT: Final = 5
# The platform's target for errors; a quiet time before the deploy counts as this, not as zero.
ERROR_TARGET: Final = 1.0
# The newest tenth of a window tells of trouble that has only begun, the whole of what goes slowly.
PARTS: Final = (0.1, 0.5, 1.0)
FIGURES: Final = """
select count(*) as events,
       count(*) filter (where status = 'error') as errors,
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
# Exclusive ends need a moment more than the newest event.
NEWEST: Final = """
select max(created_at) + interval '1 millisecond' as ended
from telemetry_events
where created_at >= %(since)s
  and event_type not in ('session_heartbeat', 'streaming_heartbeat_metrics')
"""
KINDS: Final = """
select event_type,
       coalesce(context ->> 'error_code', 'none') as error_code,
       count(*) as errors,
       min(created_at) as first_at,
       max(created_at) as newest_at
from telemetry_events
where created_at >= %(since)s
  and created_at < %(before)s
  and status = 'error'
group by event_type, error_code
order by errors desc
limit 5
"""


def figures(systems: Systems, since: datetime, before: datetime) -> dict[str, Any]:
    """Return the figures of one time: events, errors, calls, and how long calls took."""
    row = systems.database().row(FIGURES, since=since, before=before)
    found = {name: None if value is None else float(value) for name, value in row.items()}
    return {"from": since, "to": before, **found}


def parts_before(
    systems: Systems, end: datetime, window: timedelta, *, since: datetime | None = None
) -> list[dict[str, Any]]:
    """Return the figures of the newest tenth, half and whole of the window that ends then.

    None of them begins before ``since``, where that is given.
    """
    begins = [end - window * part for part in PARTS]
    cut = dict.fromkeys(max(begin, since) if since else begin for begin in begins)
    return [figures(systems, begin, end) for begin in cut if begin < end]


def worse(than: dict[str, Any], parts: list[dict[str, Any]], times: float) -> list[str]:
    """Name what is ``times`` as bad in one of the parts; too few events or errors say nothing."""
    usual = max(ERROR_TARGET, than["error_percent"] or 0)
    found = []
    if any(
        part["events"] >= SAMPLES
        and part["errors"] >= ERRORS_COUNT
        and part["error_percent"] >= times * usual
        for part in parts
    ):
        found.append("errors risen")
    if than["calls"] >= SAMPLES and any(
        part["calls"] >= SAMPLES and part["p95_ms"] >= times * than["p95_ms"] for part in parts
    ):
        found.append("slower")
    return found
