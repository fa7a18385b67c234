"""How a parked mission's waiting calls are made: what was done is looked up, the rest is sent."""

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from runbook_nb.packs.control_plane.systems._executions import (
    Key,
    changes,
    executed_calls,
    key_of,
    recorded,
)
from runbook_nb.packs.control_plane.systems._parking import parked
from runbook_nb.probes.calls import Systems
from runbook_nb.probes.connections import Database

RUN: Final = "/execution/run"
# Calls failed for a while before somebody parked their mission.
BEFORE: Final = timedelta(hours=6)
# What was executed counts as done: the row says that Composio's log is the witness.
RECORD: Final = """
with done as (
    insert into composio_audit_events
           (mission_id, tenant_id, toolkit, action, status, outcome, latency_ms)
    select m.id, m.tenant_id, %(toolkit)s, %(tool)s, 'success',
           jsonb_build_object('successful', true, 'action_id', %(action_id)s::text,
                              'log_id', %(log_id)s::text, 'witness', 'log of executions'),
           null
    from missions m
    where m.id = %(mission)s::uuid
)
update mission_sessions s
set state = jsonb_set(
        s.state, '{waiting_actions}',
        (select coalesce(jsonb_agg(w order by place), '[]')
         from jsonb_array_elements(s.state -> 'waiting_actions') with ordinality as x (w, place)
         where w ->> 'action_id' <> %(action_id)s))
where s.mission_id = %(mission)s::uuid
  and s.status = 'active'
"""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """One mission's waiting calls: those that were executed already, and those to send."""

    mission_id: str
    title: str
    executed: tuple[dict[str, Any], ...]
    to_send: tuple[dict[str, Any], ...]

    def as_json(self) -> dict[str, Any]:
        """Return what a responder sees before the yes."""
        return {
            "mission": self.mission_id,
            "title": self.title,
            "already executed at Composio, only recorded": _named(self.executed),
            "to send": _named(self.to_send),
        }


def planned(systems: Systems) -> list[Plan]:
    """Return the parked missions' plans, in the order in which they go on.

    Calls whose answer was lost are looked up in Composio's log; raises what that raises.
    """
    rows = parked(systems.database())
    known = _unrecorded_executions(systems, rows)
    plans = []
    for row in rows:
        executed, to_send = [], []
        for call in row["waiting"]:
            logs = known.get(key_of(call["tool"], call.get("user_id"), call.get("arguments")))
            if logs and _doubtful(call):
                # Each execution answers for one call: two that are the same need two.
                executed.append({**call, "log_id": logs.pop()})
            else:
                to_send.append(call)
        plans.append(
            Plan(
                mission_id=row["mission_id"],
                title=row["title"],
                executed=tuple(executed),
                to_send=tuple(to_send),
            )
        )
    return plans


def _unrecorded_executions(systems: Systems, rows: list[dict[str, Any]]) -> dict[Key, list[str]]:
    """Return the executions of the calls in doubt that no row of ours knows, by the call."""
    doubtful = {call["tool"] for row in rows for call in row["waiting"] if _doubtful(call)}
    if not doubtful:
        return {}
    since = min(row["parked_at"] for row in rows) - BEFORE
    found = executed_calls(systems, since=since, tools=doubtful)
    known = recorded(systems.database(), [log for logs in found.values() for log in logs])
    return {key: [log for log in logs if log not in known] for key, logs in found.items()}


def settle_lost(database: Database, plan: Plan) -> list[str]:
    """Record the calls that were executed, and take them from what waits."""
    for call in plan.executed:
        database.rows(
            RECORD,
            mission=plan.mission_id,
            toolkit=call["toolkit"],
            tool=call["tool"],
            action_id=call["action_id"],
            log_id=call["log_id"],
        )
    return _named(plan.executed)


def send(systems: Systems, plan: Plan) -> dict[str, Any]:
    """Hand the calls to the agent, play by play, and wait for the end of each run."""
    sent: list[str] = []
    failed: list[str] = []
    for play in dict.fromkeys(call["play_id"] for call in plan.to_send):
        steps = [call for call in plan.to_send if call["play_id"] == play]
        answer = systems.http("agent").request(
            "POST",
            RUN,
            json={"mission_id": plan.mission_id, "play_id": play, "steps": steps},
            headers={"authorization": f"Bearer runbook-resumes-{systems.attempt}"},
        )
        said = [json.loads(line) for line in answer.raise_for_status().text.splitlines()]
        completed = [one for one in said if one["type"] == "execution_step_completed"]
        sent += [one["action_name"] for one in completed if one["status"] == "success"]
        failed += [one["action_name"] for one in completed if one["status"] != "success"]
        if failed:
            break
    return {"sent": sent, "failed": failed}


def _doubtful(call: dict[str, Any]) -> bool:
    return bool(call.get("answer_lost")) and changes(call["tool"])


def _named(calls: tuple[dict[str, Any], ...]) -> list[str]:
    return [f"{call['tool']} ({call['action_id'][:8]})" for call in calls]
