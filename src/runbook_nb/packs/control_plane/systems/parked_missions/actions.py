"""How missions are parked, and how they go on."""

from datetime import timedelta
from typing import Any, Final

from runbook_nb.errors import ActionError, NothingDoneError
from runbook_nb.packs.control_plane.systems._composio import ask, told, worked
from runbook_nb.packs.control_plane.systems._parking import (
    park,
    parked,
    unpark,
)
from runbook_nb.packs.control_plane.systems.parked_missions._resuming import (
    Plan,
    planned,
    send,
    settle_lost,
)
from runbook_nb.packs.control_plane.systems.parked_missions._targets import (
    all_at_work,
    crowding,
    users_of_failing,
    users_of_throttled,
)
from runbook_nb.probes.calls import Systems, action
from runbook_nb.text.values import Json

ANSWERS: Final = 3
# One mission tries, then half of them, then all: the circuit closes by steps.
STEPS: Final = (0.1, 0.5, 1.0)


@action(timeout_s=30, repeatable=True, contained=True)
def park_all(systems: Systems, *, window: timedelta) -> Json:
    """Park every mission at work in Execute, in one transaction; what waits in them is kept.

    Raises NothingDoneError where the missions' own newest calls succeeded.
    """
    return _park(systems, all_at_work(systems, window))


@park_all.rehearsal
def _(systems: Systems, *, window: timedelta) -> Json:
    return _rehearse(systems, all_at_work(systems, window))


@park_all.undo
def _(systems: Systems, result: Json, *, window: timedelta) -> Json:  # noqa: ARG001
    return _take_back(systems, result)


@action(timeout_s=30, repeatable=True, contained=True)
def park_failing(systems: Systems, *, window: timedelta) -> Json:
    """Park the missions at work of the tenants whose calls to a toolkit fail, if they use it.

    Raises NothingDoneError where no pair of tenant and toolkit fails any more.
    """
    return _park(systems, users_of_failing(systems, window))


@park_failing.rehearsal
def _(systems: Systems, *, window: timedelta) -> Json:
    return _rehearse(systems, users_of_failing(systems, window))


@park_failing.undo
def _(systems: Systems, result: Json, *, window: timedelta) -> Json:  # noqa: ARG001
    return _take_back(systems, result)


@action(timeout_s=30, repeatable=True, contained=True)
def park_throttled(systems: Systems, *, window: timedelta) -> Json:
    """Park the missions at work of the accounts that a provider throttles, if they use them.

    Raises NothingDoneError where no provider refuses any more.
    """
    return _park(systems, users_of_throttled(systems, window))


@park_throttled.rehearsal
def _(systems: Systems, *, window: timedelta) -> Json:
    return _rehearse(systems, users_of_throttled(systems, window))


@park_throttled.undo
def _(systems: Systems, result: Json, *, window: timedelta) -> Json:  # noqa: ARG001
    return _take_back(systems, result)


@action(timeout_s=30, repeatable=True, contained=True)
def park_crowding(systems: Systems, *, window: timedelta) -> Json:
    """Park the one mission that makes more than half of the calls while others are refused.

    Raises NothingDoneError where none does, or where that mission is urgent or high.
    """
    return _park(systems, crowding(systems, window))


@park_crowding.rehearsal
def _(systems: Systems, *, window: timedelta) -> Json:
    return _rehearse(systems, crowding(systems, window))


@park_crowding.undo
def _(systems: Systems, result: Json, *, window: timedelta) -> Json:  # noqa: ARG001
    return _take_back(systems, result)


@action(timeout_s=300, irreversible=True)
def resume(systems: Systems) -> Json:
    """Let parked missions go on in their order: one, then half, then all, each with what waits.

    A call whose answer was lost is looked up in Composio's log first; one that was executed is
    recorded and not sent again. Raises NothingDoneError while Composio does not answer, and
    ActionError when a mission's calls fail again: it and those after it stay parked.
    """
    _demand_answers(systems)
    plans = planned(systems)
    done: list[dict[str, Any]] = []
    for step in STEPS:
        upto = max(1, round(step * len(plans)))
        for plan in plans[len(done) : upto]:
            done.append(_go_on(systems, plan, after=done))
    return {"resumed": done}


@resume.rehearsal
def _(systems: Systems) -> Json:
    _demand_answers(systems)
    return {"would resume, in this order": [plan.as_json() for plan in planned(systems)]}


@resume.settling
def _(systems: Systems, attempt: str) -> bool | None:  # noqa: ARG001
    # Calls that were handed over go on without us, so only the end of all of them is known.
    return None if parked(systems.database()) else True


def _go_on(systems: Systems, plan: Plan, *, after: list[dict[str, Any]]) -> dict[str, Any]:
    import httpx

    with systems.database().transaction():
        recorded = settle_lost(systems.database(), plan)
        unpark(systems.database(), [plan.mission_id], resumed=True)
    try:
        sent = send(systems, plan)
    except httpx.HTTPError as error:
        sent = {"sent": [], "failed": [f"the agent did not take it: {error!r}"]}
    if sent["failed"]:
        with systems.database().transaction():
            park(systems.database(), [plan.mission_id], attempt=systems.attempt)
        message = (
            f"{plan.title!r} failed again: {', '.join(sent['failed'])}. It and the missions after "
            f"it stay parked; {len(after)} went on. Look again before you go on."
        )
        raise ActionError(message)
    return {"mission": plan.mission_id, "title": plan.title, **sent, "recorded": recorded}


def _demand_answers(systems: Systems) -> None:
    asked = [ask(systems) for _ in range(ANSWERS)]
    if not all(worked(one) for one in asked):
        message = f"Composio does not answer three times in a row: {[*map(told, asked)]}."
        raise NothingDoneError(message)


def _park(systems: Systems, missions: list[dict[str, Any]]) -> Json:
    with systems.database().transaction():
        return _parked(systems, missions)


def _rehearse(systems: Systems, missions: list[dict[str, Any]]) -> Json:
    with systems.database().transaction(rollback=True):
        return _parked(systems, missions)


def _parked(systems: Systems, missions: list[dict[str, Any]]) -> Json:
    named = [row["mission_id"] for row in missions]
    rows = park(systems.database(), named, attempt=systems.attempt)
    waiting = {row["mission_id"]: row["waiting"] for row in missions}
    return {
        "parked": [{**row, "calls that wait": waiting[row["mission_id"]]} for row in rows],
        "calls that wait": sum(waiting.values()),
    }


def _take_back(systems: Systems, result: Json) -> Json:
    with systems.database().transaction():
        return {
            "at work again": unpark(
                systems.database(),
                [row["mission_id"] for row in result["parked"]],
                resumed=False,
            )
        }
