"""The undos that were asked for, each with its plan, its end and its window, as our rows have them.

An undo that is settled as far as it can be has a follow-up of its own; it is no failure any more.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from runbook_nb.errors import NoAnswerError
from runbook_nb.probes.calls import Systems

# Undo window of the platform: 15 minutes, unless the approval names another one.
WINDOW_S: Final = 900
# An undo may take 5 s; after five minutes without an end nobody works on it any more.
GRACE: Final = timedelta(minutes=5)
FOLLOWUP: Final = "undo_residual"

REQUESTS: Final = """
with asked as (
    select distinct on (coalesce(e.undo_plan_id, e.id))
           e.id, e.undo_plan_id, e.mission_id, e.initiated_by, e.occurred_at
    from undo_events e
    where e.event_type = 'requested' and e.occurred_at > now() - %(window)s
    order by coalesce(e.undo_plan_id, e.id), e.occurred_at desc
)
select a.id::text as request, a.undo_plan_id::text as plan, a.mission_id::text as mission,
       m.tenant_id::text as tenant, m.owner_id::text as owner, a.occurred_at as asked_at,
       extract(epoch from now() - a.occurred_at)::float as age_s,
       p.status::text as plan_status, coalesce(p.steps, '[]') as steps,
       ended.event_type::text as ended, ended.occurred_at as ended_at, ended.notes,
       coalesce(run.completed_at, now()) as run_ended_at,
       a.occurred_at > available.occurred_at + make_interval(
           secs => coalesce(available.window_s, %(default_window_s)s)) as late,
       exists (select from mission_followups f
               where f.mission_id = a.mission_id and f.task_type = %(followup)s
                 and f.metadata ->> 'request' = a.id::text) as settled
from asked a
join missions m on m.id = a.mission_id
left join mission_undo_plans p on p.id = a.undo_plan_id
left join mission_stage_status run on run.mission_id = a.mission_id and run.stage = 'Execute'
left join lateral (
    select e.event_type, e.occurred_at, e.notes
    from undo_events e
    where e.undo_plan_id is not distinct from a.undo_plan_id and e.mission_id = a.mission_id
      and e.event_type in ('executed', 'failed') and e.occurred_at >= a.occurred_at
    order by e.occurred_at desc limit 1
) ended on true
left join lateral (
    select e.occurred_at,
           (select max((g.metadata ->> 'undo_window_seconds')::int)
            from mission_approvals g where g.undo_plan_id = a.undo_plan_id) as window_s
    from undo_events e
    where e.undo_plan_id = a.undo_plan_id and e.event_type = 'available'
      and e.occurred_at <= a.occurred_at
    order by e.occurred_at desc limit 1
) available on true
order by a.occurred_at desc, a.id
"""
# A clock that runs ahead would make everything look young.
AHEAD_S: Final = 60


@dataclass(frozen=True, kw_only=True)
class Request:
    """One undo that a person asked for; ``ended`` is executed, failed, or None."""

    id: str
    plan: str | None
    mission: str
    tenant: str
    owner: str | None
    plan_status: str | None
    steps: Sequence[dict[str, Any]]
    ended: str | None
    asked_at: datetime
    ended_at: datetime | None
    run_ended_at: datetime
    age_s: float
    late: bool
    settled: bool
    notes: str | None

    @property
    def open(self) -> bool:
        """Whether it neither ended well nor is settled, and is not young enough to be under way."""
        young = self.ended is None and self.age_s < GRACE.total_seconds()
        return self.ended != "executed" and not self.settled and not young

    @property
    def written(self) -> bool:
        """Whether its plan says how each step is taken back, or that it cannot be."""
        return bool(self.steps) and all(map(is_written, self.steps))

    def shown(self) -> dict[str, Any]:
        """Return what a responder needs of it: ids and moments, nothing of a customer."""
        return {
            "request": self.id,
            "mission": self.mission,
            "undo plan": self.plan,
            "asked at": self.asked_at,
            "ended": self.ended or "no end",
            "told": self.notes,
        }


def is_one_way(step: dict[str, Any]) -> bool:
    """Tell whether a step says itself that nothing takes it back."""
    return bool(step.get("irreversible"))


def is_written(step: dict[str, Any]) -> bool:
    """Tell whether a step says how it is read and taken back, or that it cannot be."""
    needed = ("toolkit", "arguments", "read_action", "reverse_action", "reverse_arguments")
    return is_one_way(step) or all(step.get(name) for name in needed)


def requests(systems: Systems, *, window: timedelta) -> list[Request]:
    """Return the newest request of each undo plan within the window, the newest first.

    Raises NoAnswerError when a request lies in the future: then no age can be trusted.
    """
    rows = systems.database().rows(
        REQUESTS, window=window, default_window_s=WINDOW_S, followup=FOLLOWUP
    )
    if any(row["age_s"] < -AHEAD_S for row in rows):
        message = "An undo was asked for in the future: the clock of what writes them is ahead."
        raise NoAnswerError(message)
    return [Request(id=row.pop("request"), late=bool(row.pop("late")), **row) for row in rows]
