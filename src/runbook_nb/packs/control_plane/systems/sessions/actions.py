"""How dead sessions are ended."""

from datetime import timedelta
from typing import Final

from runbook_nb.probes.calls import Systems, action
from runbook_nb.text.values import Json

TERMINATE: Final = """
update mission_sessions
set status = 'terminated'
where status = 'active'
  and last_heartbeat_at < now() - %(older_than)s
returning id, mission_id, agent_name
"""
CLOSE_STREAMS: Final = """
update workspace_stream_sessions
set disconnected_at = now()
where disconnected_at is null
  and mission_id = any(%(missions)s::uuid[])
returning id, mission_id, session_id
"""
REVIVE: Final = """
update mission_sessions
set status = 'active'
where id = any(%(sessions)s::uuid[])
  and status = 'terminated'
returning id
"""
REOPEN_STREAMS: Final = """
update workspace_stream_sessions
set disconnected_at = null
where id = any(%(streams)s::uuid[])
returning id
"""


@action(timeout_s=30, repeatable=True, contained=True)
def terminate_silent(systems: Systems, *, older_than: timedelta) -> Json:
    """Set silent sessions to terminated and close their missions' streams, in one transaction.

    Returns the rows that changed; the undo takes them back by id.
    """
    with systems.database().transaction():
        return _terminate(systems, older_than)


@terminate_silent.rehearsal
def _(systems: Systems, *, older_than: timedelta) -> Json:
    with systems.database().transaction(rollback=True):
        return _terminate(systems, older_than)


@terminate_silent.undo
def _(systems: Systems, result: Json, *, older_than: timedelta) -> Json:  # noqa: ARG001
    with systems.database().transaction():
        database = systems.database()
        sessions = [row["id"] for row in result["sessions terminated"]]
        streams = [row["id"] for row in result["streams closed"]]
        return {
            "sessions active again": database.rows(REVIVE, sessions=sessions),
            "streams open again": database.rows(REOPEN_STREAMS, streams=streams),
        }


def _terminate(systems: Systems, older_than: timedelta) -> Json:
    database = systems.database()
    sessions = database.rows(TERMINATE, older_than=older_than)
    missions = [row["mission_id"] for row in sessions]
    return {
        "sessions terminated": sessions,
        "streams closed": database.rows(CLOSE_STREAMS, missions=missions),
    }
