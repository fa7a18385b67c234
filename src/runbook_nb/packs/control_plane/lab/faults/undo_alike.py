"""What looks like a failed undo and is legitimate."""

import json

from runbook_nb.packs.control_plane.lab.faults.fault import Fault
from runbook_nb.packs.control_plane.lab.faults.oauth_partner import break_composio
from runbook_nb.packs.control_plane.lab.faults.outside import superuser
from runbook_nb.packs.control_plane.lab.faults.undo import heal
from runbook_nb.packs.control_plane.lab.faults.undo_rows import (
    Asked,
    as_before,
    ask,
    changed,
    keep_rows,
    runs_over,
    set_records,
)
from runbook_nb.packs.control_plane.lab.state import LabState

_FOLLOW_UP = """
insert into mission_followups (mission_id, task_type, owner_role, metadata)
select e.mission_id, 'undo_residual', 'mission_owner',
       jsonb_build_object('request', e.id, 'undo_plan_id', e.undo_plan_id)
from undo_events e
where e.undo_plan_id = any(%(plans)s::uuid[]) and e.event_type = 'requested'
"""
_AT_APPROVE = """
select p.id, p.mission_id, p.undo_plan_id from mission_plays p
join missions m on m.id = p.mission_id
where p.selected and m.status = 'in_progress' and m.current_stage = 'Approve'
"""
_WAIVED = """
update mission_approvals
set status = 'approved', decision_at = now(),
    metadata = metadata || '{"undo_waived": true}',
    rationale = 'Drafts only; nothing has to be taken back.'
where mission_play_id = any(%(plays)s)
"""
_NO_STEPS = "update mission_undo_plans set steps = '[]' where id = any(%(plans)s)"
_NO_CONNECTION = "delete from mission_connections where mission_id = any(%(missions)s)"


def redo(lab: LabState) -> None:
    """Have undos done, and their owners set the same records again by hand an hour later."""
    with superuser(lab) as connection:
        keep_rows(connection)
        runs = runs_over(connection)
        for run in runs:
            ask(connection, run, Asked(end="executed", plan="executed", ago_s=3600))
    set_records(
        lab,
        [
            changed(run, step=step, properties=run.steps[step]["arguments"]["properties"])
            for run in runs
            for step in range(len(run.steps))
        ],
    )


def undo_now(lab: LabState) -> None:
    """Have undos under way: asked for a minute ago, half taken back, no end yet."""
    with superuser(lab) as connection:
        keep_rows(connection)
        runs = runs_over(connection)
        set_records(lab, [each for run in runs for each in as_before(run, last=1)])
        for run in runs:
            ask(connection, run, Asked(end=None, ago_s=60))


def settle(lab: LabState) -> None:
    """Have undos that could not be done, each with its follow-up."""
    with superuser(lab) as connection:
        keep_rows(connection)
        (run,) = runs_over(connection, count=1, toolkit="hubspot")
        set_records(lab, [changed(run, properties={"lifecyclestage": "evangelist"})])
        ask(connection, run, Asked(end="failed", notes="Changed since.", ago_s=8000, late=True))
        connection.execute(_FOLLOW_UP, {"plans": [run.plan]})


def retry(lab: LabState) -> None:
    """Have undos fail once and be done a minute later."""
    with superuser(lab) as connection:
        keep_rows(connection)
        runs = runs_over(connection)
        set_records(lab, [each for run in runs for each in as_before(run, last=len(run.steps))])
        for run in runs:
            ask(connection, run, Asked(end="failed", notes="RATE_LIMIT", ago_s=900))
            ask(connection, run, Asked(end="executed", plan="executed", ago_s=800))


def waive(lab: LabState) -> None:
    """Have governance accept that missions have no way back."""
    with superuser(lab) as connection:
        keep_rows(connection)
        found = connection.execute(_AT_APPROVE).fetchall()
        connection.execute(_WAIVED, {"plays": [play for play, _, _ in found]})
        connection.execute(_NO_STEPS, {"plans": [plan for _, _, plan in found]})


def only_read(lab: LabState) -> None:
    """Have missions that only read the warehouse: no connection, and a plan without steps."""
    with superuser(lab) as connection:
        keep_rows(connection)
        found = connection.execute(_AT_APPROVE).fetchall()
        connection.execute(_NO_CONNECTION, {"missions": [mission for _, mission, _ in found]})
        connection.execute(_NO_STEPS, {"plans": [plan for _, _, plan in found]})


def lose_partner(lab: LabState) -> None:
    """Have Composio fail while an undo has just failed: nothing of any record can be read."""
    with superuser(lab) as connection:
        keep_rows(connection)
        (run,) = runs_over(connection, count=1)
        ask(connection, run, Asked(end="failed", notes="HTTP_503", ago_s=120))
    body = json.dumps({"error": {"message": "Service unavailable", "status": 503}})
    break_composio(lab, status=503, headers={"content-type": "application/json"}, body=body)


FAULTS = tuple(
    Fault(name=name, title=title, inject=inject, heal=heal)
    for name, title, inject in (
        ("undo_redone", "An owner set the same again after an undo", redo),
        ("undo_under_way", "Undos were asked for a minute ago", undo_now),
        ("undo_settled", "What could not be undone has its follow-up", settle),
        ("undo_retried", "Undos failed once and were done then", retry),
        ("undo_waived", "Governance accepts that there is no way back", waive),
        ("undo_not_needed", "A mission that only reads has no steps to undo", only_read),
        ("undo_partner_down", "Composio is down, and an undo fails with it", lose_partner),
    )
)
