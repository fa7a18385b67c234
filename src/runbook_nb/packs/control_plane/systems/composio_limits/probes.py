"""What is read of the limits on our calls."""

from datetime import timedelta
from itertools import pairwise
from typing import Final

from runbook_nb.errors import NoAnswerError
from runbook_nb.packs.control_plane.impact import measure
from runbook_nb.packs.control_plane.systems._limits import (
    LIMIT,
    as_json,
    by_composio,
    for_all,
    headroom_left,
    throttled,
    wait_s,
)
from runbook_nb.packs.control_plane.systems._partner_calls import FEWEST, kind_of, pairs
from runbook_nb.probes.calls import Reading, Systems, probe

# A clock is read twice between a refusal and the next call.
_SLACK_S: Final = 0.5


@probe(unit="%")
def headroom(systems: Systems) -> Reading:
    """Return how much of Composio's limit is left in this window, in percent; 0 once it refuses.

    The limit is the organisation's, so other environments use it too. Raises NoAnswerError where
    Composio does not answer, or without its figures.
    """
    left, detail = headroom_left(systems)
    return Reading(value=left, detail=detail)


@probe(unit="%")
def refused_by_composio(systems: Systems, *, window: timedelta) -> Reading:
    """Return the share of the newest calls that Composio refused with HTTP 429, in percent."""
    found = pairs(systems, window=window)
    calls = [call for pair in found for call in pair.calls]
    refused = [call for call in calls if by_composio(call)]
    detail = [as_json(pair) for pair in found if any(map(by_composio, pair.calls))]
    impact = measure(systems.database(), window=window).impact
    return Reading(value=round(100 * len(refused) / len(calls), 1), detail=detail, impact=impact)


@probe(unit="toolkits")
def throttled_toolkits(systems: Systems, *, window: timedelta) -> Reading:
    """Count the toolkits whose provider refuses most of the tenants that call them.

    Such a limit comes inside HTTP 200; three of a pair's newest ten calls tell.
    """
    held, found = throttled(systems, window=window)
    wide = for_all(held, found)
    detail = [as_json(pair) for pair in held if pair.toolkit in wide]
    return Reading(value=len(wide), detail=detail)


@probe(unit="accounts")
def throttled_accounts(systems: Systems, *, window: timedelta) -> Reading:
    """Count the accounts that a provider refuses while it serves other tenants, or has no other."""
    held, found = throttled(systems, window=window)
    alone = [pair for pair in held if pair.toolkit not in for_all(held, found)]
    return Reading(value=len(alone), detail=[*map(as_json, alone)])


@probe(unit="retries a call")
def retries(systems: Systems, *, window: timedelta) -> Reading:
    """Return the mean number of retries of the newest refused calls; 0 below three of them.

    Retries of calls that failed otherwise do not count.
    """
    refused = [
        call
        for pair in pairs(systems, window=window)
        for call in pair.calls
        if kind_of(call) == LIMIT
    ]
    if len(refused) < FEWEST:
        return Reading(value=0.0, detail={"refused": len(refused)})
    made = [call["retries"] for call in refused]
    detail = {"refused": len(refused), "most for one call": max(made), "in all": sum(made)}
    return Reading(value=round(sum(made) / len(made), 2), detail=detail)


@probe(unit="%")
def impatient(systems: Systems, *, window: timedelta) -> Reading:
    """Return the share of refusals after which the same pair called again too soon, in percent.

    Too soon is before the time in Retry-After, or in the provider's answer, had passed; 0 below
    three refusals. Raises NoAnswerError where calls were refused and nobody said how long to wait.
    """
    said, early, silent = 0, 0, 0
    for pair in pairs(systems, window=window):
        # The newest stands first.
        for later, call in pairwise(pair.calls):
            if kind_of(call) != LIMIT:
                continue
            silent += not wait_s(call)
            said += bool(wait_s(call))
            passed_s = (later["occurred_at"] - call["occurred_at"]).total_seconds()
            early += passed_s + _SLACK_S < wait_s(call)
    if silent and not said:
        message = f"{silent} calls were refused without a word on how long to wait."
        raise NoAnswerError(message)
    share = 100 * early / said if said >= FEWEST else 0.0
    return Reading(value=round(share, 1), detail={"refusals": said, "called again too soon": early})
