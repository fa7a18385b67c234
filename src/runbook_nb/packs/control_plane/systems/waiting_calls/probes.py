"""What is read of the calls that wait."""

from collections import Counter
from datetime import timedelta
from typing import Any, Final

from runbook_nb.errors import NoAnswerError
from runbook_nb.packs.control_plane.systems._composio import ANSWERED, ask
from runbook_nb.packs.control_plane.systems._crowding import busiest
from runbook_nb.probes.calls import Reading, Systems, probe

WAITING: Final = """
select m.id::text as mission_id, t.slug as tenant, m.status::text,
       action ->> 'toolkit' as toolkit, (action ->> 'since')::timestamptz as since
from mission_sessions s
join missions m on m.id = s.mission_id and m.status in ('in_progress', 'blocked')
join tenants t on t.id = m.tenant_id
cross join jsonb_array_elements(coalesce(s.state -> 'waiting_actions', '[]')) as action
where s.status = 'active'
"""
MADE: Final = """
select count(*) filter (where status = 'success') as made, count(*) as calls,
       extract(epoch from %(window)s)::float / 60 as minutes
from composio_audit_events
where occurred_at > now() - %(window)s
"""
NOW: Final = "select now()"


@probe(unit="calls")
def backlog(systems: Systems) -> Reading:
    """Count the calls that wait, those of parked missions too."""
    rows = systems.database().rows(WAITING)
    return Reading(value=len(rows), detail=_told(systems, rows))


@probe(unit="calls a minute")
def growth(systems: Systems, *, window: timedelta) -> Reading:
    """Return by how much more calls began to wait than were made, a minute, since it began.

    Below 0 it drains. Missions that are parked wait on purpose and do not count. 0 where nothing
    began to wait in the window.
    """
    database = systems.database()
    now = database.value(NOW)
    added = [
        now - row["since"]
        for row in database.rows(WAITING)
        if row["status"] == "in_progress" and row["since"] and now - row["since"] < window
    ]
    if not added:
        return Reading(value=0.0, detail=[])
    made = database.row(MADE, window=max(added))["made"]
    minutes = max(max(added).total_seconds() / 60, 1.0)
    detail = {"began to wait": len(added), "made since": made, "minutes": round(minutes, 1)}
    return Reading(value=round((len(added) - made) / minutes, 2), detail=detail)


@probe(unit="min")
def time_until_normal(systems: Systems, *, window: timedelta) -> Reading:
    """Predict how long until nothing waits: the wait that was asked for, then the queue.

    The queue goes as fast as calls were made in the window. Raises NoAnswerError where calls wait
    and none is made: then nobody can say.
    """
    database = systems.database()
    waiting = len(database.rows(WAITING))
    if not waiting:
        return Reading(value=0.0, detail={"waiting": 0})
    made = database.row(MADE, window=window)
    if not made["made"]:
        message = f"{waiting} calls wait and none was made in the window: no end can be predicted."
        raise NoAnswerError(message)
    pace = made["made"] / made["minutes"]
    asked_s = _asked_to_wait_s(systems)
    minutes = asked_s / 60 + waiting / pace
    detail = {"waiting": waiting, "made a minute": round(pace, 2), "asked to wait, s": asked_s}
    return Reading(value=round(minutes, 1), detail=detail)


@probe(unit="%")
def crowding(systems: Systems, *, window: timedelta) -> Reading:
    """Return the share of calls of the busiest mission while others are refused, in percent.

    0 where nobody else is refused: a mission that is alone may have all.
    """
    found = busiest(systems, window=window)
    if found is None:
        return Reading(value=0.0, detail={"others refused": 0})
    return Reading(value=found["percent"], detail=found)


def _asked_to_wait_s(systems: Systems) -> float:
    """Return how long Composio asks us to wait at this moment; 0 where it lets us through."""
    asked = ask(systems)
    wait = asked["response"].headers.get("retry-after") if asked["came"] == ANSWERED else None
    return float(wait) if wait and wait.isdigit() else 0.0


def _told(systems: Systems, rows: list[dict[str, Any]]) -> dict[str, Any]:
    if not rows:
        return {}
    since = [row["since"] for row in rows if row["since"] is not None]
    oldest = systems.database().value(NOW) - min(since) if since else None
    return {
        "by tenant": dict(Counter(row["tenant"] for row in rows)),
        "by toolkit": dict(Counter(row["toolkit"] for row in rows)),
        "parked": sum(row["status"] == "blocked" for row in rows),
        "oldest waits, s": round(oldest.total_seconds()) if oldest else None,
    }
