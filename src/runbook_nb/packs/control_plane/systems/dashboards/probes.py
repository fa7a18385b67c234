"""What is read of the dashboards."""

from datetime import timedelta
from typing import Any, Final

from runbook_nb.errors import NoAnswerError
from runbook_nb.packs.control_plane.systems._database.dashboards import refreshed_at
from runbook_nb.packs.control_plane.systems.dashboards._jobs import standing
from runbook_nb.packs.control_plane.systems.dashboards._viewers import compared
from runbook_nb.probes.calls import Reading, Systems, probe

# Whole days until now, of the same hours, in this week and the weeks before.
CREATED: Final = """
select m.tenant_id,
       week,
       count(m.id) as missions
from generate_series(0, %(weeks)s) as week
join missions m
  on m.created_at <= now() - week * interval '7 days'
 and m.created_at > now() - week * interval '7 days' - %(span)s
group by m.tenant_id, week
"""
FIRST: Final = "select min(created_at) < now() - %(span)s as known from missions"
# Three weeks hardly tell a spread. Counts vary by their root by chance alone, and missions come in
# bunches: at three times the root no day of the lab's healthy weeks is beyond 2 sigma.
LEAST_SPREAD: Final = 3.0
TWO_WEEKS: Final = 2


@probe(unit="h")
def refresh_age(systems: Systems) -> Reading:
    """Return the hours since the views were refreshed last; raises NoAnswerError if never."""
    database = systems.database()
    at = refreshed_at(database)
    hours = database.value("select extract(epoch from now() - %(at)s)::float / 3600", at=at)
    return Reading(value=round(hours, 2), detail={"refreshed at": at})


@probe(unit="")
def refresh_job(systems: Systems) -> Reading:
    """Say how the job that refreshes stands: ``runs``, ``held``, ``fails`` or ``missing``."""
    word, rows = standing(systems.database())
    return Reading(value=word, detail=rows)


@probe(unit="dashboards", timeout_s=20)
def altered(systems: Systems) -> Reading:
    """Count dashboards that show an analyst other rows than are behind them, or others' figures.

    It is asked by the system ``viewer``, with the claims of an analyst.
    """
    rows = compared(systems)
    return Reading(value=sum(row["altered"] for row in rows), detail=rows)


@probe(unit="sigma")
def unusual(systems: Systems, *, span: timedelta, weeks: int) -> Reading:
    """Tell how unusual a tenant's new missions are, for the most unusual tenant.

    The last ``span`` is compared with the same hours of the earlier ``weeks``: by their mean, in
    units of their spread, which is at least three times the root of the mean, and wider as the
    mean is of a few weeks only. Raises NoAnswerError where the past does not reach back two weeks.
    """
    database = systems.database()
    if not database.value(FIRST, span=timedelta(weeks=TWO_WEEKS) + span):
        message = "Missions are known for less than two weeks, so nobody can say what is usual."
        raise NoAnswerError(message)
    rows = database.rows(CREATED, span=span, weeks=weeks)
    tenants = [_compared(tenant, rows, weeks) for tenant in {row["tenant_id"] for row in rows}]
    if not tenants:
        message = "No mission was created in these hours of any week."
        raise NoAnswerError(message)
    tenants.sort(key=lambda one: -abs(one["sigma"]))
    return Reading(value=abs(tenants[0]["sigma"]), detail=tenants)


def _compared(tenant: Any, rows: list[dict[str, Any]], weeks: int) -> dict[str, Any]:
    counts = {row["week"]: row["missions"] for row in rows if row["tenant_id"] == tenant}
    past = [counts.get(week, 0) for week in range(1, weeks + 1)]
    mean = sum(past) / weeks
    variance = sum((count - mean) ** 2 for count in past) / weeks
    spread = max(variance**0.5, LEAST_SPREAD * max(mean, 1.0) ** 0.5) * (1 + 1 / weeks) ** 0.5
    now = counts.get(0, 0)
    sigma = round((now - mean) / spread, 1)
    return {"tenant": tenant, "now": now, "same hours before": past, "sigma": sigma}
