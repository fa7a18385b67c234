"""How held events are stored, and how a machine is allowed to write."""

import json
from collections.abc import Sequence
from typing import Any, Final

from runbook_nb.errors import NothingDoneError
from runbook_nb.packs.control_plane.systems._fly import addressed, agent_machines, configure
from runbook_nb.packs.control_plane.systems.agent_buffers._buffers import (
    buffers,
    held_events,
)
from runbook_nb.probes.calls import Systems, action
from runbook_nb.text.values import Json

ALLOW: Final = "SUPABASE_ALLOW_WRITES"
BATCH: Final = 500
# An event keeps its own id and time, so storing it twice stores it once.
STORE: Final = """
insert into telemetry_events
       (id, mission_id, tenant_id, agent_name, stage, event_type, status, context, correlation_id,
        created_at)
select e.id, e.mission_id, e.tenant_id, e.agent_name, e.stage, e.event_type, e.status, e.context,
       e.correlation_id, e.created_at
from jsonb_populate_recordset(null::telemetry_events, %(events)s::jsonb) as e
join missions m on m.id = e.mission_id
on conflict (id) do nothing
returning id
"""


@action(timeout_s=120, repeatable=True, contained=True)
def flush(systems: Systems) -> Json:
    """Have each degraded machine store what it holds, oldest first, and write again.

    Raises NothingDoneError where a machine cannot store it yet: then it still holds all.
    """
    done = []
    for one in _held(systems):
        answer = systems.http("agent").request(
            "POST", "/telemetry/flush", headers=addressed(one["machine"]), timeout_s=60
        )
        if answer.is_error:
            message = f"Machine {one['machine']} could not store its events: {answer.text[:200]}"
            raise NothingDoneError(message)
        done.append({"machine": one["machine"], "stored": answer.json()["stored"]})
    return {"machines": done}


@flush.rehearsal
def _(systems: Systems) -> Json:
    return {"would store": _held(systems)}


@action(timeout_s=180, repeatable=True, contained=True)
def allow_writes(systems: Systems) -> Json:
    """Store what the machines hold, then let each write and restart with that setting.

    A restart empties a machine's memory, so its events are stored from here first, in batches.
    """
    return {"machines": [_allow(systems, one) for one in list(_forbidden(systems))]}


@allow_writes.rehearsal
def _(systems: Systems) -> Json:
    held = {one["machine"]: one["depth"] for one in buffers(systems)}
    return [
        {
            "machine": one["id"],
            ALLOW: _allowed(one),
            "would become": "true",
            "stored first": held.get(one["id"]),
        }
        for one in _forbidden(systems)
    ]


@allow_writes.undo
def _(systems: Systems, result: Json) -> Json:
    for one in result["machines"]:
        configure(systems, {ALLOW: one["was"]}, names=[ALLOW], only=one["machine"])
    return {"as before": [one["machine"] for one in result["machines"]]}


def _held(systems: Systems) -> list[dict[str, Any]]:
    return [one for one in buffers(systems) if one["degraded"] and one["writes_allowed"]]


def _forbidden(systems: Systems) -> list[dict[str, Any]]:
    forbidden = {one["machine"] for one in buffers(systems) if not one["writes_allowed"]}
    return [machine for machine in agent_machines(systems) if machine["id"] in forbidden]


def _allow(systems: Systems, machine: dict[str, Any]) -> dict[str, Any]:
    events = list(held_events(systems, machine["id"]))
    starts = range(0, len(events), BATCH)
    stored = sum(_store(systems, events[start : start + BATCH]) for start in starts)
    configure(systems, {ALLOW: "true"}, names=[ALLOW], only=machine["id"])
    return {
        "machine": machine["id"],
        "was": _allowed(machine),
        "held": len(events),
        "stored": stored,
    }


def _store(systems: Systems, events: Sequence[dict[str, Any]]) -> int:
    with systems.database().transaction():
        return len(systems.database().rows(STORE, events=json.dumps(list(events))))


def _allowed(machine: dict[str, Any]) -> str | None:
    found = machine["config"].get("env", {}).get(ALLOW)
    return None if found is None else str(found)
