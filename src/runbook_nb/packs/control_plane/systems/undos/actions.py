"""How an undo is brought to its end: done step by step, or settled as far as it can be."""

from collections.abc import Iterable
from typing import Any, Final, Literal

from runbook_nb.errors import ActionError, NothingDoneError
from runbook_nb.packs.control_plane.systems.undos._effects import (
    EXECUTE,
    Effect,
    StepEffect,
    step_effect,
)
from runbook_nb.packs.control_plane.systems.undos._rows import (
    FORGET_FOLLOW_UPS,
    SET_PLAN,
    write_executed,
    write_residual,
    write_taken_back,
)
from runbook_nb.packs.control_plane.systems.undos._sorting import (
    OpenUndo,
    newest_claimed,
    open_undos,
)
from runbook_nb.probes.calls import Systems, action
from runbook_nb.text.values import Json

Which = Literal["in time", "late", "obstructed"]

# Safeguard "quota": at most 50 records are changed in one run.
MOST_RECORDS: Final = 50


@action(timeout_s=120, repeatable=True, contained=True)
def finish(systems: Systems, *, which: Which) -> Json:
    """Take back what still stands of these undos, last step first, and write those that are done.

    ``in time`` and ``late`` are by the undo window; ``obstructed`` are those of which a part
    cannot be taken back. A step is taken back only while its record is as the run left it, which
    is read just before; every step is read back after. Raises NothingDoneError above 50 records.
    """
    done = []
    for undo in _targets(systems, which):
        steps = [_reverse(systems, one) for one in _standing(undo)]
        done.append({**_about(undo), "steps taken back": steps, **_written(systems, undo, steps)})
    return {"undos": done}


@finish.rehearsal
def _(systems: Systems, *, which: Which) -> Json:
    shown = []
    for undo in _targets(systems, which):
        steps = [one.shown() for one in _standing(undo)]
        complete = not undo.obstructed
        shown.append({**_about(undo), "would take back": steps, "complete then": complete})
    return {"records": sum(len(one["would take back"]) for one in shown), "undos": shown}


@finish.undo
def _(systems: Systems, result: Json, *, which: Which) -> Json:  # noqa: ARG001
    again = []
    for undo in result["undos"]:
        again += [
            _call(systems, undo["tenant"], step["action"], step["arguments"])
            for step in reversed(undo["steps taken back"])
        ]
        if undo["plans set"]:
            with systems.database().transaction():
                write_taken_back(systems, undo)
    return {"records changed again": [record["id"] for record in again]}


@action(timeout_s=60, repeatable=True, contained=True)
def record_residual(systems: Systems) -> Json:
    """End the undos of which a part cannot be taken back: a follow-up says what stays, and to whom.

    Raises NothingDoneError while a step could still be taken back.
    """
    return {"undos": [_settle(systems, undo) for undo in _hopeless(systems)]}


@record_residual.rehearsal
def _(systems: Systems) -> Json:
    ended = []
    with systems.database().transaction(rollback=True):
        for undo in _hopeless(systems, strict=False):
            settled = _settle(systems, undo)
            # Their ids are drawn anew each time, so those of a rehearsal would tell nothing.
            ended.append({name: settled[name] for name in ("request", "stays", "must be told")})
    return {"undos": ended}


@record_residual.undo
def _(systems: Systems, result: Json) -> Json:
    with systems.database().transaction():
        written = [row["id"] for undo in result["undos"] for row in undo["follow-ups"]]
        for undo in result["undos"]:
            if undo["plan"]:
                systems.database().rows(SET_PLAN, plan=undo["plan"], status=undo["plan was"])
        forgotten = systems.database().rows(FORGET_FOLLOW_UPS, followups=written)
    return {"follow-ups withdrawn": forgotten}


def _targets(systems: Systems, which: Which) -> list[OpenUndo]:
    """Return the undos that are meant; raises NothingDoneError when they touch too many records."""
    found = [undo for undo in open_undos(systems) if undo.request.written]
    if which == "late":
        found = [undo for undo in found if undo.request.late and not undo.obstructed]
    elif which == "obstructed":
        found = [undo for undo in found if undo.obstructed and not undo.has(Effect.CUT_OFF)]
    else:
        found = [undo for undo in found if not undo.request.late and not undo.obstructed]
        found += [undo for undo in newest_claimed(systems) if undo.has(Effect.STANDS)]
    records = sum(1 for undo in found for _ in _standing(undo))
    if records > MOST_RECORDS:
        message = f"{records} records would be changed; one run may change {MOST_RECORDS}."
        raise NothingDoneError(message)
    return found


def _hopeless(systems: Systems, *, strict: bool = True) -> list[OpenUndo]:
    """Return the undos of which nothing more can be taken back."""
    found = [
        undo for undo in open_undos(systems) if undo.obstructed and not undo.has(Effect.CUT_OFF)
    ]
    standing = [one for undo in found for one in _standing(undo)]
    if strict and standing:
        message = f"{len(standing)} steps can still be taken back; do that first."
        raise NothingDoneError(message)
    return found


def _standing(undo: OpenUndo) -> Iterable[StepEffect]:
    """Return the steps that stand, the last one first."""
    return [one for one in reversed(undo.effects) if one.effect is Effect.STANDS]


def _reverse(systems: Systems, one: StepEffect) -> dict[str, Any]:
    """Take one step back and prove it by reading; raises ActionError where that fails."""
    now = step_effect(systems, one.request, one.step)
    if now.effect is Effect.STANDS:
        tool, arguments = one.step["reverse_action"], one.step["reverse_arguments"]
        _call(systems, one.request.tenant, tool, arguments)
        now = step_effect(systems, one.request, one.step)
    if now.effect is not Effect.REVERSED:
        record = one.step["arguments"].get("id")
        message = f"{record} is not as before the run: {now.effect.value}. Read the steps anew."
        raise ActionError(message)
    return {
        "step": one.step["order"],
        "record": one.step["arguments"]["id"],
        "action": one.step["action"],
        "arguments": one.step["arguments"],
        "read back": now.effect.value,
    }


def _call(systems: Systems, tenant: str, tool: str, arguments: dict[str, Any]) -> dict[str, Any]:
    body = {"user_id": tenant, "arguments": arguments}
    answer = systems.http("composio").request("POST", f"{EXECUTE}/{tool}", json=body)
    told: dict[str, Any] = answer.raise_for_status().json()
    if not told.get("successful"):
        message = f"{tool} was refused: {told.get('error')}."
        raise ActionError(message)
    return dict(told["data"])


def _written(systems: Systems, undo: OpenUndo, steps: list[dict[str, Any]]) -> dict[str, Any]:
    """Write the end of an undo that is done; one of which a part stays has none yet."""
    if undo.obstructed:
        return {"events written": [], "plans set": []}
    with systems.database().transaction():
        return write_executed(systems, undo.request, steps=len(steps))


def _settle(systems: Systems, undo: OpenUndo) -> dict[str, Any]:
    stays = [
        {"step": one.step["order"], "record": one.step["arguments"].get("id"), "why": one.effect}
        for one in undo.effects
        if one.effect is not Effect.REVERSED
    ]
    with systems.database().transaction():
        return {
            **_about(undo),
            "stays": stays,
            **write_residual(systems, undo.request, stays=stays),
        }


def _about(undo: OpenUndo) -> dict[str, Any]:
    request = undo.request
    return {
        "request": request.id,
        "mission": request.mission,
        "tenant": request.tenant,
        "plan": request.plan,
        "plan was": request.plan_status,
    }
