"""How a workspace's state is made anew from the tables, or made small again."""

import json
from collections.abc import Callable
from typing import Any, Final

from runbook_nb.errors import NothingDoneError
from runbook_nb.packs.control_plane.systems.workspace_state._states import (
    BEFORE,
    differing,
    is_foreign,
    is_lost,
    is_rolled_back,
    large_keys,
    shown,
    states,
)
from runbook_nb.probes.calls import Systems, action
from runbook_nb.text.values import Json

# A key smaller than this is no reason for a state that is too large.
LARGE_BYTES: Final = 4096
# The former state is kept beside its session, so that no content of a customer is in a record.
KEEP: Final = """
insert into mission_sessions
    (mission_id, agent_name, state, status, state_size_bytes, last_heartbeat_at)
select mission_id, agent_name || %(before)s || to_char(now(), 'YYYYMMDDHH24MISSUS'), state, 'idle',
       octet_length(state::text), last_heartbeat_at
from mission_sessions
where id = %(session)s and md5(state::text) = %(seen)s
returning id::text
"""
WRITE: Final = """
update mission_sessions
set state = %(state)s::jsonb, state_size_bytes = octet_length(%(state)s::jsonb::text)
where id = %(session)s and md5(state::text) = %(seen)s
returning id::text
"""
PUT_BACK: Final = """
update mission_sessions s
set state = kept.state, state_size_bytes = kept.state_size_bytes
from mission_sessions kept
where kept.id = %(kept)s and s.id = %(session)s
returning s.id::text
"""
FORGET: Final = "delete from mission_sessions where id = %(kept)s returning id::text"


@action(timeout_s=30, repeatable=True, contained=True)
def rebuild(systems: Systems) -> Json:
    """Write the state of each session that lost it, fell behind or was rolled back, in one go.

    The last checkpoint comes first, then the session's own keys, then what the tables hold. It
    gets a revision above every one that a tab has seen. The former state is kept beside it. A state
    that somebody writes meanwhile is left alone: NothingDoneError. A state of another mission is
    not touched: it is evidence.
    """
    with systems.database().transaction():
        return _rewritten(systems, _to_rebuild, _rebuilt)


@rebuild.rehearsal
def _(systems: Systems) -> Json:
    with systems.database().transaction(rollback=True):
        return _without_ids(_rewritten(systems, _to_rebuild, _rebuilt))


@rebuild.undo
def _(systems: Systems, result: Json) -> Json:
    return _put_back(systems, result)


@action(timeout_s=30, repeatable=True, contained=True)
def move_out(systems: Systems) -> Json:
    """Take the large keys that no agent knows out of each state; a copy is kept beside it."""
    with systems.database().transaction():
        return _rewritten(systems, _large, _small)


@move_out.rehearsal
def _(systems: Systems) -> Json:
    with systems.database().transaction(rollback=True):
        return _without_ids(_rewritten(systems, _large, _small))


@move_out.undo
def _(systems: Systems, result: Json) -> Json:
    return _put_back(systems, result)


def _to_rebuild(row: dict[str, Any]) -> bool:
    needed = is_lost(row) or bool(differing(row)) or is_rolled_back(row)
    return needed and not is_foreign(row)


def _rebuilt(row: dict[str, Any]) -> dict[str, Any]:
    known = max(row["revision"], row["newest_tab"] or 0)
    checkpoint = row["checkpoint"] or {}
    known = max(known, int(checkpoint.get("revision_id") or 0))
    # The tables leave out what is not decided, and so must the state.
    undecided = {} if "approval_decision" in row["truth"] else {"approval_decision": None}
    anew = {"revision_id": known + 1}
    return {**checkpoint, **row["state"], **undecided, **row["truth"], **anew}


def _large(row: dict[str, Any]) -> bool:
    return bool(_moved(row))


def _small(row: dict[str, Any]) -> dict[str, Any]:
    moved = _moved(row)
    return {key: value for key, value in row["state"].items() if key not in moved}


def _moved(row: dict[str, Any]) -> list[str]:
    return [key for key in large_keys(row) if len(json.dumps(row["state"][key])) > LARGE_BYTES]


def _rewritten(
    systems: Systems,
    wanted: Callable[[dict[str, Any]], bool],
    anew: Callable[[dict[str, Any]], dict[str, Any]],
) -> dict[str, Any]:
    """Write the states that are wanted anew, each only if it still is as it was read."""
    done = []
    for row in filter(wanted, states(systems)):
        state = anew(row)
        seen = {"session": row["session"], "seen": row["seen"]}
        kept = systems.database().rows(KEEP, before=BEFORE, **seen)
        written = systems.database().rows(WRITE, state=json.dumps(state), **seen)
        if not (kept and written):
            message = f"Session {row['session']} was written meanwhile; read the states anew."
            raise NothingDoneError(message)
        changed = sorted(
            key for key in {*state, *row["state"]} if state.get(key) != row["state"].get(key)
        )
        done.append(
            {
                **shown(row),
                "keys changed": changed,
                "revision then": state.get("revision_id"),
                "former state kept as": kept[0]["id"],
            }
        )
    return {"states": done}


def _without_ids(result: dict[str, Any]) -> dict[str, Any]:
    """Leave out the ids that are drawn anew each time: those of a rehearsal would tell nothing."""
    return {
        "states": [
            {name: value for name, value in one.items() if name != "former state kept as"}
            for one in result["states"]
        ]
    }


def _put_back(systems: Systems, result: Json) -> dict[str, Any]:
    restored = []
    database = systems.database()
    with database.transaction():
        for one in result["states"]:
            kept = one["former state kept as"]
            restored += database.rows(PUT_BACK, kept=kept, session=one["session"])
            database.rows(FORGET, kept=kept)
    return {"states as before": [row["id"] for row in restored]}
