"""What is read of the missions' tool calls."""

from datetime import timedelta
from typing import Final

from runbook_nb.errors import NoAnswerError
from runbook_nb.packs.control_plane.systems.toolcalls._queries import (
    AUTH_RUNS,
    EXPIRED,
    LATENCY,
    NEWEST,
    RATE_LIMITED,
)
from runbook_nb.probes.calls import Reading, Systems, probe
from runbook_nb.text.durations import hours, words

# Three failures in a row open the platform's circuit; a share of fewer calls than five is luck.
FAILURES: Final = 3
LEAST: Final = 5
# Calls of longer ago tell of then.
NOW: Final = hours(1)


@probe(unit="in a row")
def auth_failures(systems: Systems, *, window: timedelta) -> Reading:
    """Return the longest run of calls refused for an expired login that still goes on.

    Runs are of one mission and toolkit; the next call that is not refused ends one.
    """
    rows = systems.database().rows(AUTH_RUNS, window=window)
    return Reading(value=rows[0]["in_a_row"] if rows else 0, detail=rows)


@probe(unit="connections")
def expired_connections(systems: Systems) -> Reading:
    """Count connections that are past their expiry and still marked approved."""
    rows = systems.database().rows(EXPIRED)
    return Reading(value=len(rows), detail=rows)


@probe(unit="hits")
def rate_limited(systems: Systems, *, window: timedelta) -> Reading:
    """Count the calls that were answered with a rate limit."""
    rows = systems.database().rows(RATE_LIMITED, window=window)
    return Reading(value=sum(row["hits"] for row in rows), detail=rows)


@probe(unit="%")
def worst_toolkit(systems: Systems, *, calls: int = 20, within: timedelta = NOW) -> Reading:
    """Return the share of errors among the newest ``calls`` of the worst toolkit, in percent.

    Calls older than ``within`` tell of then. A toolkit counts as a whole and for each tenant, from
    five calls and three errors on. Rate limits and expired logins are not errors of the partner.
    Raises NoAnswerError while no toolkit was called so often.
    """
    rows = systems.database().rows(
        NEWEST, calls=calls, within=within, least=LEAST, failures=FAILURES
    )
    if not rows:
        message = f"No toolkit was called {LEAST} times within {words(within)}."
        raise NoAnswerError(message)
    worst = rows[0] if rows[0]["errors"] >= FAILURES else None
    return Reading(value=worst["percent"] if worst else 0.0, detail=rows)


@probe(unit="s")
def slowest_toolkit(systems: Systems, *, window: timedelta) -> Reading:
    """Return the 95th percentile of the seconds that calls of the slowest toolkit took.

    Raises NoAnswerError while no toolkit was called five times in the window.
    """
    rows = systems.database().rows(LATENCY, window=window, least=LEAST)
    if not rows:
        message = f"No toolkit was called {LEAST} times within {words(window)}."
        raise NoAnswerError(message)
    return Reading(value=round(float(rows[0]["p95_ms"]) / 1000, 1), detail=rows)
