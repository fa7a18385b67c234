"""The dashboards and the views behind them as committed, and when those were refreshed."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from runbook_nb.errors import NoAnswerError
from runbook_nb.probes.connections import Database

COMMITTED: Final[Mapping[str, Any]] = json.loads(
    Path(__file__).with_name("dashboards.json").read_text(encoding="utf-8")
)
# The last refresh that ended well: by the scheduled job, or told by whoever refreshed by hand.
REFRESHED: Final = """
select max(at) as at
from (
    select max(d.end_time) as at
    from cron.job_run_details d
    where d.command ~ 'refresh_analytics_views\\('
      and d.status = 'succeeded'
    union all
    select max(created_at)
    from telemetry_events
    where event_type = 'metrics_refresh_completed'
      and created_at <= now()
) as refresh
"""
LIVE: Final = """
select pg_get_viewdef(to_regclass(format('public.%%I', %(view)s::text))) as definition
"""


def refreshed_at(database: Database) -> Any:
    """Return when the views were refreshed last; raises NoAnswerError where nobody knows."""
    found = database.value(REFRESHED)
    if found is None:
        message = "No refresh of the views was ever recorded, so nobody can say how old they are."
        raise NoAnswerError(message)
    return found


def drifted(database: Database, *, which: str) -> list[str]:
    """Return the names of views that do not read as committed; ``figures`` or ``dashboard``."""
    return [
        one[which]["name"]
        for one in COMMITTED.values()
        if _plain(database.value(LIVE, view=one[which]["name"])) != _plain(one[which]["definition"])
    ]


def _plain(definition: str | None) -> str:
    return " ".join((definition or "").split()).rstrip(";")
