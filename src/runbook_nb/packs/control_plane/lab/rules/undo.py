"""Alert rules for undo, with the thresholds of the platform."""

from datetime import datetime, timedelta
from typing import Any, Final

from runbook_nb.packs.control_plane.lab.inspection import NO_CERTIFICATES
from runbook_nb.packs.control_plane.lab.rules.rule import AlertRule, sql
from runbook_nb.packs.control_plane.lab.state import LabState
from runbook_nb.timeline.store.embedded.files import read_secret

PATIENCE_S: Final = 2.0
SLACK: Final = timedelta(seconds=60)
# Undos of the last hour that say executed, each with its steps.
CLAIMED: Final = """
select m.tenant_id::text, p.steps, max(e.occurred_at)
from undo_events e
join mission_undo_plans p on p.id = e.undo_plan_id
join missions m on m.id = e.mission_id
where e.event_type = 'executed' and e.occurred_at > now() - interval '1 hour'
  and p.status = 'executed'
group by m.tenant_id, p.id
limit 20
"""
# The newest end of each undo of the last hour; one that came too late was refused, and failed not.
FAILED: Final = """
with ended as (
    select distinct on (undo_plan_id) undo_plan_id, event_type, notes, occurred_at
    from undo_events
    where event_type in ('executed', 'failed') and occurred_at > now() - interval '1 hour'
    order by undo_plan_id, occurred_at desc)
select coalesce(avg((event_type = 'failed')::int) > 0.01, false)
from ended
where notes is distinct from 'The undo window of 900 s is over.'
  and undo_plan_id not in (
      select (metadata ->> 'undo_plan_id')::uuid from mission_followups
      where task_type = 'undo_residual')
"""
LATE: Final = """
select exists (
    select from undo_events r
    where r.event_type = 'requested' and r.occurred_at > now() - interval '2 hours'
      and r.occurred_at - interval '900 seconds' > (
          select max(a.occurred_at) from undo_events a
          where a.undo_plan_id = r.undo_plan_id and a.event_type = 'available'
            and a.occurred_at <= r.occurred_at)
      and not exists (
          select from undo_events e
          where e.undo_plan_id = r.undo_plan_id and e.event_type = 'executed'
            and e.occurred_at >= r.occurred_at)
      and not exists (
          select from mission_followups f where f.metadata ->> 'request' = r.id::text))
"""
STUCK: Final = """
select exists (
    select from undo_events r
    where r.event_type = 'requested' and r.occurred_at < now() - interval '5 minutes'
      and r.occurred_at > now() - interval '1 day'
      and not exists (
          select from undo_events e
          where e.undo_plan_id = r.undo_plan_id and e.event_type in ('executed', 'failed')
            and e.occurred_at >= r.occurred_at))
"""
UNPLANNED: Final = """
select exists (
    select from missions m
    join mission_plays p on p.mission_id = m.id and p.selected
    left join mission_undo_plans u on u.id = p.undo_plan_id
    where m.status = 'in_progress' and m.current_stage in ('Approve', 'Execute')
      and (u.id is null or u.steps = '[]'
           or exists (select from jsonb_array_elements(u.steps) s
                      where not s ? 'reverse_action' and not s ? 'irreversible'))
      and exists (select from mission_connections c where c.mission_id = m.id)
      and not exists (select from mission_approvals a
                      where a.mission_id = m.id and a.metadata ? 'undo_waived'))
"""


def _not_confirmed(lab: LabState, connection: Any) -> bool:
    """Tell whether a record of an undo that says executed still shows the change."""
    import httpx

    claimed = connection.execute(CLAIMED).fetchall()
    if not claimed:
        return False
    with httpx.Client(
        base_url=f"http://127.0.0.1:{lab.ports['composio']}/api/v3.1/tools/execute/",
        headers={"x-api-key": read_secret(lab.folder, "composio.token")},
        timeout=PATIENCE_S,
        trust_env=False,
        verify=NO_CERTIFICATES,
    ) as client:
        try:
            return any(
                _stands(client, tenant, step, done_at)
                for tenant, steps, done_at in claimed
                for step in steps
            )
        except (httpx.HTTPError, ValueError, KeyError):
            # A partner that does not answer is for another rule.
            return False


def _stands(client: Any, tenant: str, step: dict[str, Any], done_at: datetime) -> bool:
    if "read_action" not in step:
        return False
    asked = {"user_id": tenant, "arguments": {"id": step["arguments"]["id"]}}
    answer = client.post(step["read_action"], json=asked)
    if answer.is_error:
        return False
    return any(
        record["properties"].items() >= step["arguments"]["properties"].items()
        and datetime.fromisoformat(record["updated_at"]) <= done_at + SLACK
        for record in answer.json()["data"]["results"]
    )


RULES: Final = (
    AlertRule(
        name="UndoNotConfirmed",
        severity="critical",
        summary="An undo says executed, and the customer's record still shows the change.",
        fires=_not_confirmed,
        service="undo",
    ),
    AlertRule(
        name="UndoFailuresHigh",
        severity="critical",
        summary="More than 1 % of the undos of the last hour failed.",
        fires=sql(FAILED),
        service="undo",
    ),
    AlertRule(
        name="UndoRequestStuck",
        severity="warning",
        summary="An undo was asked for more than 5 minutes ago and has no end.",
        fires=sql(STUCK),
        service="undo",
    ),
    AlertRule(
        name="UndoWindowMissed",
        severity="warning",
        summary="An undo was asked for after its window of 15 minutes, and the change stands.",
        fires=sql(LATE),
        service="undo",
    ),
    AlertRule(
        name="MissionWithoutUndoPlan",
        severity="warning",
        summary="A mission at Approve or Execute has no plan by which it can be taken back.",
        fires=sql(UNPLANNED),
        service="undo",
    ),
)
