"""What each actor takes out within an hour and a day, and what is usual for them."""

import statistics
from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from runbook_nb.errors import NoAnswerError
from runbook_nb.packs.control_plane.systems._database.exposures import EXPORTS
from runbook_nb.probes.connections import Database

NORM: Final = timedelta(days=30)
# A burst shows within an hour, a slow one within a day. Fewer artifacts are a day's work.
SPANS: Final = ((timedelta(hours=1), 10), (timedelta(days=1), 20))
NEWEST: Final = """
select clock_timestamp() as now,
       (select max(created_at) from telemetry_events where mission_id is not null) as newest
"""
# Events come every minute while anybody works; after 15 minutes of silence none can be trusted.
SILENT: Final = timedelta(minutes=15)
STOPPED: Final = """
select u.id::text as actor, u.banned_until > now() as banned,
       (select count(*) from auth.sessions s where s.user_id = u.id) as sessions
from auth.users u
where u.id::text = any(%(actors)s::text[])
"""


def compared(database: Database) -> list[dict[str, Any]]:
    """Return each actor of the last day with the multiple of what is usual, the highest first.

    Usual is the actor's own busiest hour or day of the 30 days before, or that of the middle of
    all others where it is more. Raises NoAnswerError where nothing tells what is usual, or where
    events have stopped coming.
    """
    clock = database.row(NEWEST)
    now = clock["now"]
    if clock["newest"] is None or now - clock["newest"] > SILENT:
        message = "No event of a mission was stored for 15 minutes, so exports would not show."
        raise NoAnswerError(message)
    rows = database.rows(EXPORTS, window=NORM)
    past = [row for row in rows if row["at"] < now - SPANS[-1][0]]
    if not past:
        message = "No export of the 30 days before is known, so nothing tells what is usual."
        raise NoAnswerError(message)
    by_actor = _by_actor(row for row in rows if row["at"] >= now - SPANS[-1][0])
    found = [_compared(actor, taken, past, now) for actor, taken in by_actor.items()]
    return sorted(found, key=lambda one: -one["times usual"])


def standing(database: Database, actors: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return whether actors are banned, and their sessions, by actor; unknown ones are left out."""
    return {row["actor"]: row for row in database.rows(STOPPED, actors=list(actors))}


def _compared(
    actor: str, taken: Sequence[Mapping[str, Any]], past: Sequence[Mapping[str, Any]], now: datetime
) -> dict[str, Any]:
    worst: dict[str, Any] = {"times usual": 0.0}
    for span, least in SPANS:
        count = len({row["artifact"] for row in taken if row["at"] >= now - span})
        usual = _usual(actor, past, span)
        times = round(count / usual, 1) if count >= least else 0.0
        if times >= worst["times usual"]:
            hours = int(span.total_seconds() // 3600)
            worst = {"times usual": times, "artifacts": count, "within h": hours, "usual": usual}
    return {"actor": actor, **worst, "last": max(row["at"] for row in taken)}


def _usual(actor: str, past: Sequence[Mapping[str, Any]], span: timedelta) -> float:
    busiest = {one: _most_within(rows, span) for one, rows in _by_actor(past).items()}
    return max(float(busiest.get(actor, 0)), statistics.median(busiest.values()), 1.0)


def _most_within(rows: Iterable[Mapping[str, Any]], span: timedelta) -> int:
    """Count the artifacts of the busiest span, wherever it begins: no clock parts a burst."""
    within: deque[Mapping[str, Any]] = deque()
    times: Counter[Any] = Counter()
    most = 0
    for row in sorted(rows, key=lambda each: each["at"]):
        within.append(row)
        times[row["artifact"]] += 1
        while row["at"] - within[0]["at"] >= span:
            gone = within.popleft()["artifact"]
            times[gone] -= 1
            if not times[gone]:
                del times[gone]
        most = max(most, len(times))
    return most


def _by_actor(rows: Iterable[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    found: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        found[row["actor"]].append(row)
    return found
