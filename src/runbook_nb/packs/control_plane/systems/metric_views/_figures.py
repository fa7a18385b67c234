"""Each figure as its view has it and as its source gives it, for weeks that are over."""

from datetime import datetime, timedelta
from typing import Any, Final

from runbook_nb.errors import NoAnswerError
from runbook_nb.packs.control_plane.systems._database.dashboards import refreshed_at
from runbook_nb.probes.connections import Database

# A week counts when it was over at the refresh and nothing of its missions was touched since.
SETTLED: Final = """
select m.tenant_id, date_trunc('week', m.created_at at time zone 'UTC') at time zone 'UTC' as week
from missions m
left join mission_approvals a on a.mission_id = m.id
group by 1, 2
having greatest(max(m.updated_at), max(a.updated_at)) < %(refreshed)s
   and date_trunc('week', min(m.created_at) at time zone 'UTC') + interval '7 days'
       <= %(refreshed)s::timestamptz at time zone 'UTC'
"""
TRUTH: Final = {
    "executive_summary_mv": """
        select m.tenant_id, date_trunc('week', m.created_at at time zone 'UTC') at time zone 'UTC'
                   as week,
               count(*) filter (where m.status = 'completed')::float as completed_missions,
               count(*) filter (where m.status in ('in_progress', 'ready'))::float
                   as active_missions,
               avg(extract(epoch from m.completed_at - m.created_at) / 3600)::float
                   as avg_time_to_complete_hours,
               count(distinct m.persona_id)::float as persona_count
        from missions m
        group by 1, 2
    """,
    "adoption_funnel_mv": """
        select m.tenant_id, date_trunc('week', m.created_at at time zone 'UTC') at time zone 'UTC'
                   as week,
               count(distinct m.id)::float as missions_created,
               count(distinct m.id) filter (where m.brief_locked_at is not null)::float
                   as briefs_locked,
               count(distinct m.id) filter (where m.ready_at is not null)::float
                   as readiness_achieved,
               count(distinct a.mission_id)::float as approvals_completed,
               count(distinct m.id) filter (where m.completed_at is not null)::float
                   as missions_completed
        from missions m
        left join mission_approvals a on a.mission_id = m.id and a.status = 'approved'
        group by 1, 2
    """,
}
SHOWN: Final = {
    "executive_summary_mv": """
        select tenant_id, week, completed_missions::float, active_missions::float,
               avg_time_to_complete_hours::float, persona_count::float
        from executive_summary_mv
    """,
    "adoption_funnel_mv": """
        select tenant_id, week, missions_created::float, briefs_locked::float,
               readiness_achieved::float, approvals_completed::float, missions_completed::float
        from adoption_funnel_mv
    """,
}
Key = tuple[Any, datetime]

WEEK: Final = timedelta(weeks=1)
# Averages are compared as a dashboard shows them.
NEAR: Final = 0.01


def differing(database: Database) -> list[dict[str, Any]]:
    """Return each figure of a settled week that is not what its source gives.

    Raises NoAnswerError where no week is settled.
    """
    refreshed = refreshed_at(database)
    settled = {_key(row) for row in database.rows(SETTLED, refreshed=refreshed)}
    if not settled:
        message = "In every week that is over a mission was touched since the last refresh."
        raise NoAnswerError(message)
    return [
        row
        for view in TRUTH
        for row in _of_view(database, view, settled=settled, refreshed=refreshed)
    ]


def _of_view(
    database: Database, view: str, *, settled: set[Key], refreshed: datetime
) -> list[dict[str, Any]]:
    shown = {_key(row): row for row in database.rows(SHOWN[view])}
    true = {_key(row): row for row in database.rows(TRUTH[view])}
    # Where every mission of a week is gone, only the view still has the week.
    gone = {key for key in shown.keys() - true.keys() if key[1] + WEEK <= refreshed}
    return [
        row
        for key in (*(key for key in true if key in settled), *gone)
        for row in _compared(view, key, true=true.get(key, {}), shown=shown.get(key, {}))
    ]


def _compared(
    view: str, key: Key, *, true: dict[str, Any], shown: dict[str, Any]
) -> list[dict[str, Any]]:
    return [
        {
            "figure": f"{view}.{name}",
            "tenant": key[0],
            "week": key[1],
            "shown": shown.get(name),
            "true": true.get(name),
        }
        for name in true or shown
        if name not in ("tenant_id", "week") and not _near(true.get(name), shown.get(name))
    ]


def _key(row: dict[str, Any]) -> Key:
    return row["tenant_id"], row["week"]


def _near(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return abs(one - other) <= NEAR
