"""How missions are held until they have a way back."""

from typing import Any, Final

from runbook_nb.errors import NothingDoneError
from runbook_nb.packs.control_plane.systems.undo_plans._queries import AT_WORK, NO_WAY_BACK
from runbook_nb.probes.calls import Systems, action
from runbook_nb.text.values import Json

REASON: Final = "No undo plan: nothing would take this back."
# The status that a mission had is kept by the action's own result.
HOLD: Final = """
update missions set status = 'blocked'
where id = any(%(missions)s::uuid[]) and status in ('in_progress', 'ready')
returning id::text
"""
HOLD_STAGES: Final = """
update mission_stage_status s
set status = 'blocked', blocking_reason = %(reason)s
from missions m
where m.id = s.mission_id and s.stage = m.current_stage and m.id = any(%(missions)s::uuid[])
returning s.id::text
"""
STAGES: Final = """
select s.id::text, s.status::text, s.blocking_reason
from mission_stage_status s
join missions m on m.id = s.mission_id and m.current_stage = s.stage
where m.id = any(%(missions)s::uuid[])
"""
RELEASE: Final = """
update missions set status = %(status)s::mission_status
where id = %(mission)s and status = 'blocked'
returning id::text, status::text
"""
RELEASE_STAGE: Final = """
update mission_stage_status
set status = %(status)s::stage_progress_state, blocking_reason = %(blocking_reason)s
where id = %(id)s
returning id::text
"""


@action(timeout_s=30, repeatable=True, contained=True)
def hold_missions(systems: Systems) -> Json:
    """Block the missions that have no way back, with the reason, in one transaction.

    Raises NothingDoneError when that is more than half of all missions at work: then the planner
    fails for everybody, and stopping the platform is not one runbook's decision.
    """
    with systems.database().transaction():
        return _hold(systems)


@hold_missions.rehearsal
def _(systems: Systems) -> Json:
    with systems.database().transaction(rollback=True):
        return _hold(systems)


@hold_missions.undo
def _(systems: Systems, result: Json) -> Json:
    database = systems.database()
    with database.transaction():
        released = [
            row
            for mission in result["missions held"]
            for row in database.rows(
                RELEASE, mission=mission["mission"], status=mission["mission_status"]
            )
        ]
        for stage in result["stages were"]:
            database.rows(RELEASE_STAGE, **stage)
    return {"missions as before": released}


def _hold(systems: Systems) -> dict[str, Any]:
    database = systems.database()
    rows = database.rows(NO_WAY_BACK)
    at_work = database.value(AT_WORK)
    if 2 * len(rows) > at_work:
        message = (
            f"{len(rows)} of {at_work} missions at work have no way back. The planner fails for "
            "everybody: ask the Incident Commander to stop approvals instead."
        )
        raise NothingDoneError(message)
    missions = [row["mission"] for row in rows]
    stages = database.rows(STAGES, missions=missions)
    held = {row["id"] for row in database.rows(HOLD, missions=missions)}
    database.rows(HOLD_STAGES, missions=list(held), reason=REASON)
    return {
        "missions held": [row for row in rows if row["mission"] in held],
        "stages were": stages,
    }
