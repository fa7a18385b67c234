"""What is written of an undo: its end, its plan's state, and the follow-up of what stays."""

import json
from typing import Any, Final

from runbook_nb.packs.control_plane.systems.undos._requests import FOLLOWUP, Request
from runbook_nb.probes.calls import Systems

# Events are appended and never rewritten.
EVENT: Final = """
insert into undo_events (mission_id, undo_plan_id, event_type, status, notes, metadata)
values (%(mission)s, %(plan)s, %(event)s::undo_event_type, %(status)s::undo_status, %(notes)s,
        %(metadata)s::jsonb)
returning id::text, event_type::text, status::text
"""
SET_PLAN: Final = """
update mission_undo_plans
set status = %(status)s::undo_plan_state
where id = %(plan)s
returning id::text, status::text
"""
TELL: Final = """
insert into telemetry_events (mission_id, tenant_id, stage, event_type, status, context)
values (%(mission)s, %(tenant)s, 'Execute', 'undo_completed', 'success', %(context)s::jsonb)
returning id::text
"""
FOLLOW_UP: Final = """
insert into mission_followups (mission_id, task_type, owner_role, owner_id, due_at, metadata)
select m.id, %(task)s, 'mission_owner', m.owner_id, now() + interval '1 day', %(metadata)s::jsonb
from missions m
where m.id = %(mission)s
returning id::text, task_type, owner_role, due_at
"""
FORGET_FOLLOW_UPS: Final = """
delete from mission_followups where id = any(%(followups)s::uuid[]) returning id::text
"""
APPROVERS: Final = """
select distinct approver_role from mission_approvals where mission_id = %(mission)s order by 1
"""


def write_executed(systems: Systems, request: Request, *, steps: int) -> dict[str, Any]:
    """Write that an undo is done, proven by reading every step back."""
    database = systems.database()
    total = len(request.steps)
    told = {"steps_total": total, "steps_reversed": total, "read_back": True}
    context = {
        "mission_id": request.mission,
        "tenantId": request.tenant,
        "undo_plan_id": request.plan,
        "actions_reversed": steps,
        "outcome": "success",
    }
    return {
        "events written": database.rows(
            EVENT,
            mission=request.mission,
            plan=request.plan,
            event="executed",
            status="completed",
            notes="Finished by a runbook; every step was read back.",
            metadata=json.dumps(told),
        ),
        "plans set": database.rows(SET_PLAN, plan=request.plan, status="executed"),
        "events told": database.rows(
            TELL, mission=request.mission, tenant=request.tenant, context=json.dumps(context)
        ),
    }


def write_taken_back(systems: Systems, undo: dict[str, Any]) -> list[dict[str, Any]]:
    """Give a plan its former state, and say that the undo was taken back."""
    database = systems.database()
    database.rows(
        EVENT,
        mission=undo["mission"],
        plan=undo["plan"],
        event="failed",
        status="failed",
        notes="A runbook's undo was taken back.",
        metadata="{}",
    )
    return database.rows(SET_PLAN, plan=undo["plan"], status=undo["plan was"])


def write_residual(
    systems: Systems, request: Request, *, stays: list[dict[str, Any]]
) -> dict[str, Any]:
    """Write that an undo ends here: what stays, who must be told, and who looks after it."""
    database = systems.database()
    roles = [row["approver_role"] for row in database.rows(APPROVERS, mission=request.mission)]
    told = {"request": request.id, "undo_plan_id": request.plan, "stays": stays}
    whom = ["mission_owner", *roles]
    event = database.rows(
        EVENT,
        mission=request.mission,
        plan=request.plan,
        event="failed",
        status="failed",
        notes="Cannot be undone in full; a follow-up says what stays.",
        metadata=json.dumps({"steps_total": len(request.steps), "stays": len(stays)}),
    )
    followup = database.rows(
        FOLLOW_UP,
        mission=request.mission,
        task=FOLLOWUP,
        metadata=json.dumps({**told, "tell": whom}),
    )
    plans = database.rows(SET_PLAN, plan=request.plan, status="expired") if request.plan else []
    return {
        "must be told": whom,
        "events written": event,
        "plans set": plans,
        "follow-ups": followup,
    }
