"""What is read of the clocks."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Final

from runbook_nb.errors import NoAnswerError, SettingMissingError
from runbook_nb.probes.calls import Reading, Systems, probe

PATIENCE_S: Final = 3.0
# The header Date has whole seconds, and an answer takes its time.
ROUNDING: Final = timedelta(seconds=1)
# A service writes its header anew once a second, and one whose loop was blocked after that.
ANEW_AFTER_S: Final = 1.2
ASKED_AT_MOST: Final = 3
# What the database stamped itself cannot be ahead of it; what others stamped can.
AHEAD: Final = """
select 'the newest event of a mission' as stamped, extract(epoch from max(created_at) - now()) as s
from telemetry_events
where created_at > now() - interval '1 day'
union all
select 'the newest beat of ' || agent_name, extract(epoch from max(last_heartbeat_at) - now())
from mission_sessions
where status = 'active'
group by agent_name
union all
select 'the newest tool call', extract(epoch from max(occurred_at) - now())
from composio_audit_events
where occurred_at > now() - interval '1 day'
"""


@probe(unit="s", timeout_s=30)
def difference(systems: Systems, *, services: tuple[str, ...] = ("agent", "composio")) -> Reading:
    """Return by how many seconds the clock that differs most differs from the database's.

    Compared are this machine, each service by the header ``Date`` of its answer, and what others
    stamped in the database, as far as it lies in the future. A service that does not answer,
    answers a page, or tells no time, is named and not compared; raises NoAnswerError when none can.
    """
    told = [*_of_services(systems, services), *_of_rows(systems)]
    compared = [one for one in told if one["ahead_s"] is not None]
    if not any(one["clock"] in services for one in compared):
        message = f"None of {', '.join(services)} told its time, so no clock was compared."
        raise NoAnswerError(message)
    compared.sort(key=lambda one: -abs(one["ahead_s"]))
    unknown = [one for one in told if one["ahead_s"] is None]
    return Reading(value=round(abs(compared[0]["ahead_s"]), 1), detail=[*compared, *unknown])


def _of_services(systems: Systems, services: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    here = _database_ahead(systems)
    yield {"clock": "this machine", "ahead_s": round(-here.total_seconds(), 1)}
    for service in services:
        ahead, why = _ahead(systems, service)
        known = None if ahead is None else round((ahead - here).total_seconds(), 1)
        yield {"clock": service, "ahead_s": known, **({"why": why} if why else {})}


def _of_rows(systems: Systems) -> Iterator[dict[str, Any]]:
    """Tell of rows that are of the future: the clock that stamped them is ahead."""
    for row in systems.database().rows(AHEAD):
        if row["s"] is not None and row["s"] > ROUNDING.total_seconds():
            yield {"clock": row["stamped"], "ahead_s": round(float(row["s"]), 1)}


def _database_ahead(systems: Systems) -> timedelta:
    """Return by how much the database's clock is ahead of this machine's."""
    began = datetime.now(UTC)
    told: datetime = systems.database().value("select clock_timestamp()")
    return _apart(told, began, datetime.now(UTC))


def _ahead(systems: Systems, service: str) -> tuple[timedelta | None, str]:
    """Return by how much a service's clock is ahead of this machine's, or why that is unknown.

    A service that differs is asked again: one whose loop was blocked sends the date of before.
    """
    least = _told(systems, service)
    for _ in range(ASKED_AT_MOST - 1):
        if least[0] is None or abs(least[0]) <= ROUNDING:
            return least
        time.sleep(ANEW_AFTER_S)
        again = _told(systems, service)
        if again[0] is None or abs(again[0]) < abs(least[0]):
            least = again
    return least


def _told(systems: Systems, service: str) -> tuple[timedelta | None, str]:
    import httpx

    began = datetime.now(UTC)
    try:
        answer = systems.http(service).get("/health", timeout_s=PATIENCE_S)
    except (httpx.HTTPError, SettingMissingError) as error:
        return None, f"{type(error).__name__}: {error}"
    ended = datetime.now(UTC)
    if "text/html" in answer.headers.get("content-type", ""):
        return None, "a page came, which anybody on the way may have sent"
    try:
        # A proxy adds its own beside that of the service.
        told = parsedate_to_datetime(answer.headers.get_list("date")[0])
    except (IndexError, ValueError):
        return None, "it tells no time"
    told = told if told.tzinfo else told.replace(tzinfo=UTC)
    return _apart(told, began - ROUNDING, ended), ""


def _apart(told: datetime, began: datetime, ended: datetime) -> timedelta:
    """Return how far a time lies outside the time in which it was asked for."""
    if told < began:
        return told - began
    return told - ended if told > ended else timedelta(0)
