"""Each figure as its view has it and as its source gives it, for weeks that are over."""

from typing import Any, Final

from runbook_nb.errors import NoAnswerError
from runbook_nb.packs.control_plane.systems._database.dashboards import refreshed_at
from runbook_nb.probes.connections import Database

# A week counts when it was over at the refresh and none of its missions was touched since.
SETTLED: Final = """
select m.tenant_id, date_trunc('week', m.created_at at time zone 'UTC') at time zone 'UTC' as week
from missions m
group by 1, 2
having max(m.updated_at) < %(refreshed)s
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
# Averages are compared as a dashboard shows them.
NEAR: Final = 0.01


def differing(database: Database) -> list[dict[str, Any]]:
    """Return each figure of a settled week that is not what its source gives.

    Raises NoAnswerError where no week is settled.
    """
    settled = database.rows(SETTLED, refreshed=refreshed_at(database))
    if not settled:
        message = "In every week that is over a mission was touched since the last refresh."
        raise NoAnswerError(message)
    weeks = {(row["tenant_id"], row["week"]) for row in settled}
    return [row for view in TRUTH for row in _of_view(database, view, weeks)]


def _of_view(database: Database, view: str, weeks: set[tuple[Any, Any]]) -> list[dict[str, Any]]:
    shown = {(row["tenant_id"], row["week"]): row for row in database.rows(SHOWN[view])}
    rows = []
    for true in database.rows(TRUTH[view]):
        key = (true["tenant_id"], true["week"])
        if key in weeks:
            rows += _compared(view, true, shown.get(key, {}))
    return rows


def _compared(view: str, true: dict[str, Any], shown: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "figure": f"{view}.{name}",
            "tenant": true["tenant_id"],
            "week": true["week"],
            "shown": shown.get(name),
            "true": value,
        }
        for name, value in true.items()
        if name not in ("tenant_id", "week") and not _near(value, shown.get(name))
    ]


def _near(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return abs(one - other) <= NEAR
