"""The hands for faults of undos: requests and their ends in rows, and records at the tools."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from runbook_nb.errors import LabError
from runbook_nb.packs.control_plane.lab.emulators.composio import PROVIDER
from runbook_nb.packs.control_plane.lab.faults.oauth_partner import composio, provide
from runbook_nb.packs.control_plane.lab.faults.outside import Connection, superuser
from runbook_nb.packs.control_plane.lab.outage import PATH as OUTAGE
from runbook_nb.packs.control_plane.lab.state import LabState

# Rows as they were are kept in tables of their own, out of reach of every role but the owner.
_TABLES = (
    "mission_undo_plans",
    "undo_events",
    "mission_followups",
    "mission_plays",
    "mission_approvals",
    "mission_connections",
)
_KEPT = "select to_regclass('lab_undo.undo_events') is not null"
_KEEP_STATES = """
create table lab_undo.missions as select id, status from missions;
create table lab_undo.stages as select id, status, blocking_reason from mission_stage_status;
"""
_RESTORE_STATES = """
update missions m set status = kept.status
from lab_undo.missions kept where kept.id = m.id and kept.status <> m.status;
update mission_stage_status s set status = kept.status, blocking_reason = kept.blocking_reason
from lab_undo.stages kept
where kept.id = s.id
  and (kept.status, kept.blocking_reason) is distinct from (s.status, s.blocking_reason);
delete from telemetry_events where event_type = 'undo_completed' and correlation_id is null;
drop schema lab_undo cascade;
"""
_RUNS_OVER = """
select p.id::text as plan, p.mission_id::text as mission, m.tenant_id::text as tenant, p.steps
from mission_undo_plans p
join missions m on m.id = p.mission_id
where p.status = 'expired' and m.status = 'completed' and m.completed_at > now() - interval '7 days'
  and p.steps @> %(having)s::jsonb
order by row_number() over (partition by m.tenant_id order by m.completed_at desc), m.tenant_id
limit %(count)s
"""
_ASK = """
insert into undo_events
    (mission_id, undo_plan_id, event_type, status, initiated_by, notes, metadata, occurred_at)
select %(mission)s, %(plan)s, event.type::undo_event_type, event.status::undo_status,
       case when event.type = 'requested' then m.owner_id end,
       case when event.type = 'failed' then %(notes)s end,
       jsonb_build_object('steps_total', %(total)s::int, 'steps_reversed', %(reversed)s::int),
       now() - make_interval(secs => event.ago_s)
from (values ('available', 'completed', %(available_s)s::float),
             ('requested', 'completed', %(asked_s)s::float),
             (%(end)s::text, case %(end)s::text when 'failed' then 'failed' else 'completed' end,
              %(asked_s)s::float - 2.0)) as event (type, status, ago_s)
join missions m on m.id = %(mission)s::uuid
where event.type is not null and event.ago_s is not null
"""
_SET_PLAN = (
    "update mission_undo_plans set status = %(status)s, steps = %(steps)s where id = %(plan)s"
)

AT_APPROVE = """
select p.id from mission_plays p
join missions m on m.id = p.mission_id
where p.selected and m.status = 'in_progress' and m.current_stage = %(stage)s
order by m.id limit %(count)s
"""
UNPLAN = "update mission_plays set undo_plan_id = null where id = any(%(plays)s)"
EMPTY_PLAN = """
update mission_undo_plans set steps = '[]'
where id in (select undo_plan_id from mission_plays where id = any(%(plays)s))
"""
NO_REVERSE = """
update mission_undo_plans set steps = jsonb_set(steps, '{0}', (steps -> 0) - 'reverse_action')
where id in (select undo_plan_id from mission_plays where id = any(%(plays)s))
"""


@dataclass(frozen=True, kw_only=True)
class Run:
    """A finished run whose changes stand and that nobody has undone."""

    plan: str
    mission: str
    tenant: str
    steps: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Asked:
    """How an undo was asked for and how it ended; ``ago_s`` is how long ago it was asked for."""

    end: str | None
    ago_s: float = 420.0
    notes: str | None = None
    late: bool = False
    reversed: int = 0
    plan: str = "ready"


def keep_rows(connection: Connection) -> None:
    """Keep the rows that faults of undos change, unless they are kept already."""
    if connection.execute(_KEPT).fetchone() == (True,):
        return
    with connection.transaction():
        connection.execute("create schema lab_undo")
        for table in _TABLES:
            connection.execute(f"create table lab_undo.{table} as table {table}".encode())
        connection.execute(_KEEP_STATES)


def restore_rows(lab: LabState) -> None:
    """Put rows back as they were kept."""
    with superuser(lab) as connection:
        if connection.execute(_KEPT).fetchone() != (True,):
            return
        with connection.transaction():
            connection.execute("set local session_replication_role = replica")
            for table in _TABLES:
                connection.execute(f"delete from {table}".encode())
                connection.execute(f"insert into {table} table lab_undo.{table}".encode())
            connection.execute(_RESTORE_STATES)


def runs_over(connection: Connection, *, count: int = 2, toolkit: str = "") -> list[Run]:
    """Return finished runs of the last days, the newest of each tenant in turn."""
    having = json.dumps([{"toolkit": toolkit}] if toolkit else [{"order": 2}])
    rows = connection.execute(_RUNS_OVER, {"count": count, "having": having}).fetchall()
    if len(rows) < count:
        raise LabError("Too few runs of the last days could be undone; heal the lab first.")
    return [Run(plan=plan, mission=own, tenant=of, steps=steps) for plan, own, of, steps in rows]


def ask(
    connection: Connection, run: Run, asked: Asked, *, steps: Sequence[Any] | None = None
) -> None:
    """Have somebody ask for the undo of a run, and let it end so."""
    plan = {"status": asked.plan, "steps": json.dumps(run.steps if steps is None else steps)}
    connection.execute(_SET_PLAN, {"plan": run.plan, **plan})
    connection.execute(
        _ASK,
        {
            "mission": run.mission,
            "plan": run.plan,
            "end": asked.end,
            "notes": asked.notes,
            "total": len(run.steps),
            "reversed": asked.reversed,
            "asked_s": asked.ago_s,
            # Without one of its own it counts from the end of the run, which was hours ago.
            "available_s": None if asked.late else asked.ago_s + 120,
        },
    )


def as_before(run: Run, *, last: int) -> list[dict[str, Any]]:
    """Return the records of the last steps as they were before the run."""
    return [
        _record(run, step, held=step["reverse_arguments"].get("properties"))
        for step in list(run.steps)[len(run.steps) - last :]
    ]


def changed(run: Run, *, step: int = 0, **given: Any) -> dict[str, Any]:
    """Return a record of the run as somebody else changed it."""
    return {**_key(run, run.steps[step]), **given}


def set_records(lab: LabState, records: Iterable[Mapping[str, Any]]) -> None:
    """Change records at the customers' tools, as those who work with them do."""
    provide(lab, records=list(records))


def forget_records(lab: LabState) -> None:
    """End Composio's outages, and have its records made anew of the platform's rows."""
    with composio(lab) as client:
        client.delete(OUTAGE).raise_for_status()
        client.delete(PROVIDER).raise_for_status()


def _record(run: Run, step: Mapping[str, Any], *, held: object) -> dict[str, Any]:
    return {**_key(run, step), **({"gone": True} if held is None else {"properties": held})}


def _key(run: Run, step: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "user_id": run.tenant,
        "toolkit": step["toolkit"],
        "record_id": step["arguments"]["id"],
    }
