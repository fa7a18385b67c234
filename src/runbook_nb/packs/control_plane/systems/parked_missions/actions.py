"""How missions are parked, and how they go on."""

from datetime import timedelta
from typing import Any, Final

from runbook_nb.errors import ActionError, NoAnswerError, NothingDoneError
from runbook_nb.packs.control_plane.systems._composio import ask, told, worked
from runbook_nb.packs.control_plane.systems._partner_calls import Pair, began_at, pairs, since
from runbook_nb.packs.control_plane.systems.parked_missions._resuming import (
    Plan,
    planned,
    send,
    settle_lost,
)
from runbook_nb.packs.control_plane.systems.parked_missions._rows import (
    park,
    parked,
    running,
    unpark,
)
from runbook_nb.probes.calls import Systems, action
from runbook_nb.text.values import Json

# A success so young says that Composio serves missions, whatever it answers us.
YOUNG: Final = timedelta(minutes=2)
ANSWERS: Final = 3
# One mission tries, then half of them, then all: the circuit closes by steps.
STEPS: Final = (0.1, 0.5, 1.0)


@action(timeout_s=30, repeatable=True, contained=True)
def park_all(systems: Systems, *, window: timedelta) -> Json:
    """Park every mission at work in Execute, in one transaction; what waits in them is kept.

    Raises NothingDoneError where the missions' own newest calls succeeded.
    """
    return _park(systems, _all_at_work(systems, window))


@park_all.rehearsal
def _(systems: Systems, *, window: timedelta) -> Json:
    return _rehearse(systems, _all_at_work(systems, window))


@park_all.undo
def _(systems: Systems, result: Json, *, window: timedelta) -> Json:  # noqa: ARG001
    return _take_back(systems, result)


@action(timeout_s=30, repeatable=True, contained=True)
def park_failing(systems: Systems, *, window: timedelta) -> Json:
    """Park the missions at work of the tenants whose calls to a toolkit fail, if they use it.

    Raises NothingDoneError where no pair of tenant and toolkit fails any more.
    """
    return _park(systems, _users_of_failing(systems, window))


@park_failing.rehearsal
def _(systems: Systems, *, window: timedelta) -> Json:
    return _rehearse(systems, _users_of_failing(systems, window))


@park_failing.undo
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


def _all_at_work(systems: Systems, window: timedelta) -> list[dict[str, Any]]:
    """Return the missions to park; their own calls since it began are the second sign."""
    if working := _working_pairs(systems, window):
        names = ", ".join(sorted({pair.toolkit for pair in working}))
        message = (
            f"Missions call Composio well at this moment ({names}): it answers them and not us. "
            "Nothing was parked. Look for the trouble on the way from here."
        )
        raise NothingDoneError(message)
    return _demand(running(systems.database()))


def _working_pairs(systems: Systems, window: timedelta) -> list[Pair]:
    """Return the pairs whose newest call worked since it began, if those are most of them."""
    try:
        found = pairs(systems, window=window)
    except NoAnswerError:
        return []  # No mission calls Composio, so none calls it well.
    young = systems.database().value("select now()") - YOUNG
    began = began_at(pair for pair in found if pair.failing)
    called = since(found, max(began, young) if began else young)
    working = [pair for pair in called if pair.calls[0]["status"] == "success"]
    return working if 2 * len(working) > len(called) else []


def _users_of_failing(systems: Systems, window: timedelta) -> list[dict[str, Any]]:
    failing = {
        (pair.tenant_id, pair.toolkit) for pair in pairs(systems, window=window) if pair.failing
    }
    if not failing:
        message = "No tenant's calls to a toolkit fail any more. Nothing was parked."
        raise NothingDoneError(message)
    return _demand(
        [
            row
            for row in running(systems.database())
            if failing & {(row["tenant_id"], toolkit) for toolkit in row["toolkits"]}
        ]
    )


def _demand(missions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    if not missions:
        message = "No mission that needs it is at work in Execute. Nothing was parked."
        raise NothingDoneError(message)
    return missions


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
