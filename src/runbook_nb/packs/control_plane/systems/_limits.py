"""Calls that were refused for too many: by Composio itself, or by a toolkit's provider."""

from collections.abc import Sequence
from datetime import timedelta
from http import HTTPStatus
from typing import Any, Final

from runbook_nb.errors import NoAnswerError
from runbook_nb.packs.control_plane.systems._composio import ANSWERED, ask, told
from runbook_nb.packs.control_plane.systems._partner_calls import (
    FEWEST,
    Pair,
    kind_of,
    pairs,
    toolkits,
)
from runbook_nb.probes.calls import Systems

LIMIT: Final = "limit"


def headroom_left(systems: Systems) -> tuple[float, dict[str, Any]]:
    """Return how much of Composio's limit is left, in percent, and its headers; 0 once it refuses.

    Raises NoAnswerError where Composio does not answer, or without its figures.
    """
    asked = ask(systems)
    if asked["came"] != ANSWERED:
        message = f"Composio does not answer, which tells nothing of its limit: {told(asked)}."
        raise NoAnswerError(message)
    response = asked["response"]
    names = ("x-ratelimit", "x-ratelimit-remaining", "x-ratelimit-window-size", "retry-after")
    detail = {name: response.headers.get(name) for name in names}
    if response.status_code == HTTPStatus.TOO_MANY_REQUESTS:
        return 0.0, detail
    try:
        limit, left = float(detail["x-ratelimit"] or 0), float(detail["x-ratelimit-remaining"] or 0)
        return round(100 * left / limit, 1), detail
    except (ValueError, ZeroDivisionError) as error:
        message = "Composio answered without the figures of its limit."
        raise NoAnswerError(message) from error


def by_composio(call: dict[str, Any]) -> bool:
    """Tell whether Composio itself refused, by HTTP 429; a provider's limit comes in HTTP 200."""
    status = (call["outcome"] or {}).get("http_status")
    return kind_of(call) == LIMIT and status == HTTPStatus.TOO_MANY_REQUESTS


def by_provider(call: dict[str, Any]) -> bool:
    """Tell whether the provider behind a toolkit refused."""
    return kind_of(call) == LIMIT and not by_composio(call)


def wait_s(call: dict[str, Any]) -> float:
    """Return how long whoever refused asked to wait; 0 where nobody said."""
    return float((call["outcome"] or {}).get("retry_after_seconds") or 0)


def throttled(systems: Systems, *, window: timedelta) -> tuple[list[Pair], list[Pair]]:
    """Return the pairs that providers throttle, and all pairs; three of the newest ten tell."""
    found = pairs(systems, window=window)
    return [pair for pair in found if sum(map(by_provider, pair.calls)) >= FEWEST], found


def for_all(held: Sequence[Pair], found: Sequence[Pair]) -> set[str]:
    """Return the toolkits throttled for more than half of several tenants that call them."""
    return {
        toolkit
        for toolkit in toolkits(held)
        if 2 * sum(pair.toolkit == toolkit for pair in held)
        > sum(pair.toolkit == toolkit for pair in found)
        and sum(pair.toolkit == toolkit for pair in found) > 1
    }


def as_json(pair: Pair) -> dict[str, Any]:
    """Return what a responder has to see of a throttled pair."""
    refused = [call for call in pair.calls if kind_of(call) == LIMIT]
    return {
        "tenant": pair.tenant,
        "toolkit": pair.toolkit,
        "newest calls": len(pair.calls),
        "refused": len(refused),
        "asked to wait, at most s": max(map(wait_s, refused), default=0),
        "missions": sorted({call["mission_id"] for call in refused if call["mission_id"]}),
    }
