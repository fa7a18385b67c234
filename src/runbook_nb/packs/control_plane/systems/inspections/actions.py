"""How inspections are held, narrowed, ended and begun again; nothing writes at a customer's tool.

Inspections only read, so one may be ended and begun again at any time.
"""

import time
from datetime import timedelta
from typing import Any, Final

from runbook_nb.errors import ActionError
from runbook_nb.packs.control_plane.systems._fly import configure, machine_settings
from runbook_nb.packs.control_plane.systems.inspections._live import (
    Live,
    begin,
    end,
    live,
    pair,
)
from runbook_nb.packs.control_plane.systems.inspections._rows import (
    begin_stages,
    hold,
    narrow,
    put_stages_back,
    release,
    widen,
)
from runbook_nb.packs.control_plane.systems.inspections._targets import (
    by_mission,
    on_hold,
    slow,
    surplus,
    unfinished,
    wide,
)
from runbook_nb.probes.calls import Systems, action
from runbook_nb.text.values import Json

LIMIT: Final = "INSPECTION_LIMIT_S"
WORKERS: Final = "INSPECTION_WORKERS"
NAMES: Final = (LIMIT, WORKERS)
_LOOK_EVERY_S: Final = 0.5


@action(timeout_s=60, repeatable=True, contained=True)
def hold_slow(systems: Systems, *, window: timedelta) -> Json:
    """End the inspections of toolkits that Composio's log calls slow, and hold these toolkits.

    What other toolkits gave stays. Raises NothingDoneError where no toolkit under way is slow.
    """
    pairs, under_way = slow(systems, window)
    held = by_mission(pairs)
    with systems.database().transaction():
        for mission, toolkits in held.items():
            hold(systems.database(), mission, toolkits)
    return {"held": held, "ended": end(systems, under_way)}


@hold_slow.rehearsal
def _(systems: Systems, *, window: timedelta) -> Json:
    pairs, under_way = slow(systems, window)
    return {"would hold": by_mission(pairs), "would end": under_way}


@hold_slow.undo
def _(systems: Systems, result: Json, *, window: timedelta) -> Json:  # noqa: ARG001
    for mission in result["held"]:
        release(systems.database(), mission)
    pairs = [(mission, each) for mission, toolkits in result["held"].items() for each in toolkits]
    return {"released": result["held"], "begun": begin(systems, pairs)}


@action(timeout_s=60, repeatable=True, contained=True)
def narrow_wide(systems: Systems, *, above: int, rows: int, window: timedelta) -> Json:
    """Have inspections that ask for more than ``above`` rows begin again with ``rows`` of them.

    Raises NothingDoneError where none asks for so many.
    """
    pairs, under_way = wide(systems, above, window)
    database = systems.database()
    gone = end(systems, under_way)
    with database.transaction():
        scopes = [narrow(database, one, rows=rows) for one in by_mission(pairs)]
        stages = begin_stages(database, pairs)
    return {"scopes": scopes, "stages": stages, "ended": gone, "begun": begin(systems, pairs)}


@narrow_wide.rehearsal
def _(systems: Systems, *, above: int, rows: int, window: timedelta) -> Json:
    pairs, under_way = wide(systems, above, window)
    return {"would narrow": pairs, "to rows": rows, "would end": under_way}


@narrow_wide.undo
def _(systems: Systems, result: Json, *, above: int, rows: int, window: timedelta) -> Json:  # noqa: ARG001
    for scope in result["scopes"]:
        widen(systems.database(), scope)
    return {"scopes": result["scopes"]}


@action(timeout_s=60, repeatable=True, contained=True)
def end_repeated(systems: Systems) -> Json:
    """End the inspections beyond the oldest of each mission and toolkit.

    Raises NothingDoneError where each stands alone.
    """
    return {"ended": end(systems, surplus(systems))}


@end_repeated.rehearsal
def _(systems: Systems) -> Json:
    return {"would end": surplus(systems)}


@end_repeated.undo
def _(systems: Systems, result: Json) -> Json:
    return {"begun": begin(systems, [pair(one) for one in result["ended"]])}


@action(timeout_s=120, repeatable=True, contained=True)
def reset_settings(systems: Systems) -> Json:
    """Take the inspector's two settings from each machine that has one: the release's own hold."""
    return {"before": configure(systems, dict.fromkeys(NAMES), names=NAMES)}


@reset_settings.rehearsal
def _(systems: Systems) -> Json:
    return {"now": machine_settings(systems, NAMES), "would become": dict.fromkeys(NAMES)}


@reset_settings.undo
def _(systems: Systems, result: Json) -> Json:
    for machine, before in result["before"].items():
        configure(systems, before, names=NAMES, only=machine)
    return {"restored": result["before"]}


@action(timeout_s=60, repeatable=True, contained=True)
def inspect_again(systems: Systems, *, window: timedelta) -> Json:
    """Begin the inspections again that were lost, or whose newest end was a timeout.

    Raises NothingDoneError where there is none.
    """
    pairs = unfinished(systems, window)
    stages = begin_stages(systems.database(), pairs)
    return {"stages": stages, "begun": begin(systems, pairs)}


@inspect_again.rehearsal
def _(systems: Systems, *, window: timedelta) -> Json:
    return {"would begin": unfinished(systems, window)}


@inspect_again.undo
def _(systems: Systems, result: Json, *, window: timedelta) -> Json:  # noqa: ARG001
    begun = {one["id"] for one in result["begun"]}
    gone = end(systems, [one for one in live(systems) if one["id"] in begun])
    stages = put_stages_back(systems.database(), result["stages"])
    return {"ended": gone, "stages as before": stages}


@action(timeout_s=300, repeatable=True, contained=True)
def resume_held(systems: Systems, *, within: timedelta) -> Json:
    """Have held missions inspected again, one after the other, the longest held first.

    Raises ActionError when one does not end in time: it is held again, and those after it stay so.
    Raises NothingDoneError where nothing is on hold.
    """
    done: list[dict[str, Any]] = []
    for row in on_hold(systems):
        mission, toolkits = row["mission_id"], row["hold"]["toolkits"]
        release(systems.database(), mission)
        begun = begin(systems, [(mission, toolkit) for toolkit in toolkits])
        left = _await(systems, begun, within=within)
        if left:
            hold(systems.database(), mission, toolkits)
            end(systems, left)
            message = (
                f"{row['title']!r} is slow again at {', '.join(toolkits)}. It and those after it "
                f"stay on hold; {len(done)} were inspected."
            )
            raise ActionError(message)
        done.append({"mission_id": mission, "title": row["title"], "toolkits": toolkits})
    return {"inspected": done}


@resume_held.rehearsal
def _(systems: Systems, *, within: timedelta) -> Json:
    return {"would inspect, in this order": on_hold(systems), "each within": str(within)}


@resume_held.undo
def _(systems: Systems, result: Json, *, within: timedelta) -> Json:  # noqa: ARG001
    for one in result["inspected"]:
        hold(systems.database(), one["mission_id"], one["toolkits"])
    return {"held again": result["inspected"]}


def _await(systems: Systems, begun: list[Live], *, within: timedelta) -> list[Live]:
    """Wait for inspections to end, and return those that have not."""
    names = {one["id"] for one in begun}
    deadline = time.monotonic() + within.total_seconds()
    while left := [one for one in live(systems) if one["id"] in names]:
        if time.monotonic() > deadline:
            return left
        time.sleep(_LOOK_EVERY_S)
    return []
