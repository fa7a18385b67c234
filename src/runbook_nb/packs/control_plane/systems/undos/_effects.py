"""What each step of an undo has left behind, read at the customer's own tool through Composio."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from runbook_nb.errors import NoAnswerError
from runbook_nb.packs.control_plane.systems.undos._requests import Request, is_one_way
from runbook_nb.probes.calls import Systems

if TYPE_CHECKING:
    import httpx

EXECUTE: Final = "/api/v3.1/tools/execute"
READING: Final = frozenset({"FETCH", "FIND", "GET", "LIST", "READ", "SEARCH"})
# The tool's clock and ours may differ by so much.
SLACK: Final = timedelta(seconds=60)
# Composio's own words for a user who has no connection that works.
_NO_CONNECTION: Final = frozenset({1803, 1810, 1820})


class Effect(StrEnum):
    """What a step of an undo has left behind."""

    REVERSED = "as before the run"
    STANDS = "the change stands"
    CHANGED = "changed by somebody else since"
    ONE_WAY = "cannot be taken back"
    CUT_OFF = "no connection to read it by"


@dataclass(frozen=True, kw_only=True)
class StepEffect:
    """One step of a request and what it has left behind."""

    request: Request
    step: dict[str, Any]
    effect: Effect
    changed_at: datetime | None = None

    def shown(self) -> dict[str, Any]:
        """Return what a responder needs of it; the record is named, its content is not."""
        return {
            "request": self.request.id,
            "mission": self.request.mission,
            "step": self.step["order"],
            "toolkit": self.step["toolkit"],
            "record": self.step["arguments"].get("id"),
            "effect": self.effect.value,
            "changed at": self.changed_at,
        }


def effects_of(systems: Systems, requests: Iterable[Request]) -> list[StepEffect]:
    """Read every step of these requests; only plans that are written can be read."""
    return [
        step_effect(systems, request, step)
        for request in requests
        if request.written
        for step in sorted(request.steps, key=lambda step: int(step["order"]))
    ]


def step_effect(systems: Systems, request: Request, step: dict[str, Any]) -> StepEffect:
    """Read what one step has left behind; raises NoAnswerError where the tool does not tell."""
    if is_one_way(step):
        return StepEffect(request=request, step=step, effect=Effect.ONE_WAY)
    body = {"user_id": request.tenant, "arguments": {"id": step["arguments"]["id"]}}
    answer = systems.http("composio").ask(
        f"{EXECUTE}/{step['read_action']}", json=body, writes=_writes
    )
    if _lacks_connection(answer):
        return StepEffect(request=request, step=step, effect=Effect.CUT_OFF)
    record = _record(answer, slug=step["read_action"])
    changed_at = datetime.fromisoformat(record["updated_at"]) if record else None
    held = record["properties"] if record else None
    effect = _judge(request, step, held, changed_at)
    return StepEffect(request=request, step=step, effect=effect, changed_at=changed_at)


def obstacles(effects: Sequence[StepEffect]) -> set[str]:
    """Return the requests that cannot be taken back in full, whatever is tried."""
    hindering = (Effect.CHANGED, Effect.ONE_WAY, Effect.CUT_OFF)
    return {one.request.id for one in effects if one.effect in hindering}


def _judge(
    request: Request,
    step: dict[str, Any],
    held: dict[str, Any] | None,
    changed_at: datetime | None,
) -> Effect:
    """Compare a record with what the plan says it was and became, and when it was last touched."""
    before = step["reverse_arguments"].get("properties")
    after = step["arguments"].get("properties") or {}
    if _holds(held, before):
        return Effect.REVERSED
    ours_until = request.ended_at if request.ended == "executed" else request.run_ended_at
    touched = changed_at is not None and ours_until is not None and changed_at > ours_until + SLACK
    if touched or not _holds(held, after):
        return Effect.CHANGED
    return Effect.STANDS


def _holds(held: dict[str, Any] | None, wanted: dict[str, Any] | None) -> bool:
    if held is None or wanted is None:
        return held is wanted
    return all(held.get(name) == value for name, value in wanted.items())


def _writes(path: str, body: object) -> str:  # noqa: ARG001 - the tool's name alone decides
    slug = path.rpartition("/")[2]
    verb = slug.split("_")[1] if "_" in slug else slug
    return "" if verb in READING else f"{slug} is not named as a tool that reads"


def _lacks_connection(answer: "httpx.Response") -> bool:
    if answer.status_code not in (HTTPStatus.GONE, HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND):
        return False
    try:
        return answer.json()["error"].get("code") in _NO_CONNECTION
    except (ValueError, KeyError, TypeError, AttributeError):
        return False


def _record(answer: "httpx.Response", *, slug: str) -> dict[str, Any] | None:
    """Return the record, None where there is none; any other answer tells nothing."""
    try:
        body = answer.json() if answer.status_code == HTTPStatus.OK else {}
    except ValueError:
        body = {}
    found = (body.get("data") or {}).get("results") if body.get("successful") else None
    if not isinstance(found, list):
        why = body.get("error") or f"HTTP {answer.status_code}"
        message = f"{slug} did not show its record ({why}), so nothing is known of that step."
        raise NoAnswerError(message)
    return dict(found[0]) if found else None
