"""How dead sessions are ended."""

from datetime import timedelta
from typing import Final

from runbook_nb.errors import NothingDoneError
from runbook_nb.packs.control_plane.mission_state import WAITING
from runbook_nb.probes.calls import Systems, action
from runbook_nb.text.values import Json

# The second sign: nothing else of that agent was stored for the mission either.
TERMINATE: Final = f"""
update mission_sessions s
set status = 'terminated'
from missions m
where m.id = s.mission_id
  and s.status = 'active'
  and least(s.last_heartbeat_at, s.updated_at) < now() - %(older_than)s
  and (m.status in ('completed', 'archived') or not {WAITING})
  and not exists (
      select from telemetry_events t
      where t.mission_id = s.mission_id
        and t.agent_name = s.agent_name
        and t.created_at > now() - %(older_than)s
  )
returning s.id, s.mission_id, s.agent_name
"""
BEATING: Final = f"""
select count(*) as due,
       count(*) filter (where least(s.last_heartbeat_at, s.updated_at) >= now() - %(older_than)s)
           as beating
from mission_sessions s
join missions m on m.id = s.mission_id and m.status = 'in_progress'
where s.status = 'active'
  and not {WAITING}
"""
CLOSE_STREAMS: Final = """
update workspace_stream_sessions
set disconnected_at = now()
where disconnected_at is null
  and mission_id = any(%(missions)s::uuid[])
  and not exists (
      select from mission_sessions s
      where s.mission_id = workspace_stream_sessions.mission_id
        and s.status = 'active'
  )
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

    Those of missions that wait for a person stay, and so does one whose agent stored an event
    meanwhile. Declines while no session beats at all: then the agent is silent, and not they.
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
    live = database.row(BEATING, older_than=older_than)
    if live["due"] and not live["beating"]:
        message = (
            f"None of the {live['due']} sessions that should beat does: the agent is silent, and "
            "its sessions resume with it. Nothing is ended; restart the agent first."
        )
        raise NothingDoneError(message)
    sessions = database.rows(TERMINATE, older_than=older_than)
    missions = [row["mission_id"] for row in sessions]
    return {
        "sessions terminated": sessions,
        "streams closed": database.rows(CLOSE_STREAMS, missions=missions),
    }
