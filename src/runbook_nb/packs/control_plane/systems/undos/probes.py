"""What is read of the undos that people asked for."""

from collections.abc import Callable, Sequence
from typing import Any, Final

from runbook_nb.errors import NoAnswerError
from runbook_nb.packs.control_plane.systems.undos._effects import Effect
from runbook_nb.packs.control_plane.systems.undos._requests import GRACE, requests
from runbook_nb.packs.control_plane.systems.undos._sorting import (
    WINDOW,
    OpenUndo,
    newest_claimed,
    open_undos,
)
from runbook_nb.probes.calls import Reading, Systems, probe
from runbook_nb.timeline.events import Impact, ImpactFigure

# A share or a percentile of fewer undos tells nothing.
LEAST: Final = 5
# Incident process: a repeated undo failure is a SEV2.
REPEATED: Final = 2


@probe(unit="%")
def success(systems: Systems) -> Reading:
    """Return the share of undos of 7 days that say they were executed, in percent.

    Alert table: target 95 %, a release is held below 90 %. Each request counts once, by its newest
    end; one that came too late, or that a follow-up settled, does not count. Raises NoAnswerError
    below five undos.
    """
    found = [
        one
        for one in requests(systems, window=WINDOW)
        if one.ended and not one.late and not one.settled
    ]
    if len(found) < LEAST:
        message = f"Only {len(found)} undos ended in 7 days; a share of fewer than {LEAST} is none."
        raise NoAnswerError(message)
    failed = [one for one in found if one.ended == "failed"]
    share = round(100 * (len(found) - len(failed)) / len(found), 1)
    impact = Impact(
        severity="SEV2" if len(failed) >= REPEATED else "",
        figures=(
            ImpactFigure(
                name="Undos failed", value=f"{len(failed)} of {len(found)}", weight=len(failed)
            ),
        ),
    )
    return Reading(value=share, detail=[one.shown() for one in failed], impact=impact)


@probe(unit="s")
def latency(systems: Systems) -> Reading:
    """Return how long an undo takes at the 95th percentile of 7 days, in seconds.

    Alert table: at most 5 s. Raises NoAnswerError below five undos.
    """
    took = sorted(
        (one.ended_at - one.asked_at).total_seconds()
        for one in requests(systems, window=WINDOW)
        if one.ended == "executed" and one.ended_at
    )
    if len(took) < LEAST:
        message = f"Only {len(took)} undos were executed in 7 days; that is too few."
        raise NoAnswerError(message)
    return Reading(value=round(took[int(0.95 * (len(took) - 1) + 0.5)], 2), detail=took)


@probe(unit="undos")
def unended(systems: Systems) -> Reading:
    """Count undos asked for in time, more than 5 minutes ago, that have no end."""
    found = [
        one
        for one in requests(systems, window=WINDOW)
        if one.open and one.ended is None and not one.late
    ]
    detail = {"no end after": GRACE, "undos": [one.shown() for one in found]}
    return Reading(value=len(found), detail=detail)


@probe(unit="undos", timeout_s=20)
def not_undone(systems: Systems) -> Reading:
    """Count undos that say executed while the customer's record still shows the change.

    The newest five of each tenant are read. A record that was touched after the undo does not
    count. Raises NoAnswerError when no undo says executed, or none of them can be read.
    """
    claimed = newest_claimed(systems)
    readable = [one for one in claimed if not one.has(Effect.CUT_OFF)]
    if not readable:
        message = f"{len(claimed)} undos say executed in 7 days, and none of them can be read."
        raise NoAnswerError(message)
    found = [one for one in claimed if one.has(Effect.STANDS)]
    impact = Impact(
        severity="SEV2" if len(found) >= REPEATED else "",
        figures=(
            ImpactFigure(
                name="Undos claimed and not done",
                value=f"{len(found)} of {len(readable)} read",
                weight=len(found),
            ),
        ),
    )
    return Reading(
        value=len(found),
        detail={"undos read": len(readable), "steps": _steps(found, Effect.STANDS)},
        impact=impact,
    )


@probe(unit="undos", timeout_s=20)
def half_run(systems: Systems) -> Reading:
    """Count undos that failed in time, whose changes stand, and that nothing stands against."""
    return _counted(
        systems,
        lambda one: (
            one.request.ended == "failed"
            and not one.request.late
            and not one.obstructed
            and one.has(Effect.STANDS)
        ),
        *Effect,
    )


@probe(unit="undos", timeout_s=20)
def too_late(systems: Systems) -> Reading:
    """Count undos asked for after their window, 900 s by default, that could still be done."""
    return _counted(
        systems,
        lambda one: one.request.late and not one.obstructed and one.has(Effect.STANDS),
        *Effect,
    )


@probe(unit="undos", timeout_s=20)
def unwritten(systems: Systems) -> Reading:
    """Count undos that are done at the customer's tools while our rows say something else."""
    disagreeing = [
        one
        for one in requests(systems, window=WINDOW)
        if one.ended == "executed" and one.plan_status != "executed" and not one.settled
    ]
    done = [one.request for one in open_undos(systems) if one.undone]
    found = disagreeing + done
    return Reading(value=len(found), detail=[one.shown() for one in found])


@probe(unit="undos", timeout_s=20)
def changed_since(systems: Systems) -> Reading:
    """Count open undos with a record that somebody else has changed since the run."""
    return _counted(systems, lambda one: one.has(Effect.CHANGED), Effect.CHANGED)


@probe(unit="undos", timeout_s=20)
def one_way(systems: Systems) -> Reading:
    """Count open undos with a step that nothing takes back."""
    return _counted(systems, lambda one: one.has(Effect.ONE_WAY), Effect.ONE_WAY)


@probe(unit="undos", timeout_s=20)
def cut_off(systems: Systems) -> Reading:
    """Count open undos whose tool has no connection that works."""
    return _counted(systems, lambda one: one.has(Effect.CUT_OFF), Effect.CUT_OFF)


@probe(unit="undos")
def without_plan(systems: Systems) -> Reading:
    """Count open undos that have no plan, an empty one, or one that does not say how."""
    found = [one for one in requests(systems, window=WINDOW) if one.open and not one.written]
    return Reading(value=len(found), detail=[one.shown() for one in found])


def _counted(systems: Systems, wanted: Callable[[OpenUndo], bool], *effects: Effect) -> Reading:
    found = [one for one in open_undos(systems) if wanted(one)]
    return Reading(value=len(found), detail=_steps(found, *effects))


def _steps(found: Sequence[OpenUndo], *effects: Effect) -> list[dict[str, Any]]:
    """Show the steps of these undos that have left this behind."""
    return [
        {**each.shown(), "told": one.request.notes}
        for one in found
        for each in one.effects
        if each.effect in effects
    ]
