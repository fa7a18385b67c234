"""Heartbeat faults of sessions: some that nobody closed, and one whose state grows."""

from runbook_nb.errors import LabError
from runbook_nb.packs.control_plane.lab.faults.outside import (
    first_value,
    lasting_id,
    restore_agent,
    restore_live_sessions,
    superuser,
    until,
)
from runbook_nb.packs.control_plane.lab.state import LabState

_SESSIONS = [lasting_id(f"forgotten session {number}") for number in range(5)]
_STREAMS = [lasting_id(f"forgotten stream {number}") for number in range(5)]

# Sessions whose mission ended, but that nobody closed; the browsers' streams are open as well.
_FORGOTTEN_SESSIONS = """
INSERT INTO mission_sessions
       (id, mission_id, agent_name, state, lag_ms, token_usage, state_size_bytes, status,
        last_heartbeat_at, created_at, updated_at)
SELECT (%(sessions)s::uuid[])[forgotten.place], forgotten.id, 'evidence', planned.state, 420,
       planned.token_usage, planned.state_size_bytes, 'active',
       now() - interval '20 minutes' - forgotten.place * interval '7 seconds',
       now() - interval '95 minutes' - forgotten.place * interval '4 minutes',
       now() - interval '20 minutes' - forgotten.place * interval '7 seconds'
  FROM (SELECT id, row_number() OVER (ORDER BY completed_at DESC) AS place
          FROM missions AS mission
         WHERE status IN ('completed', 'archived')
           AND completed_at < now() - interval '20 minutes'
           AND NOT EXISTS (SELECT FROM mission_sessions
                            WHERE mission_id = mission.id AND agent_name = 'evidence')
         LIMIT cardinality(%(sessions)s::uuid[])) AS forgotten
  JOIN mission_sessions AS planned
    ON planned.mission_id = forgotten.id AND planned.agent_name = 'planner'
ON CONFLICT (id) DO UPDATE
   SET status = 'active', last_heartbeat_at = excluded.last_heartbeat_at
"""
_FORGOTTEN_STREAMS = """
INSERT INTO workspace_stream_sessions
       (id, mission_id, tenant_id, session_id, stage, sampling_mode, connected_at)
SELECT (%(streams)s::uuid[])[array_position(%(sessions)s::uuid[], session.id)],
       mission.id, mission.tenant_id, 'tab-' || left(mission.id::text, 8), 'Execute', 'full',
       session.created_at + interval '20 seconds'
  FROM mission_sessions AS session
  JOIN missions AS mission ON mission.id = session.mission_id
 WHERE session.id = ANY(%(sessions)s::uuid[])
ON CONFLICT (id) DO UPDATE SET disconnected_at = NULL, connected_at = excluded.connected_at
"""
_SILENT_SESSIONS = """
SELECT count(*) FROM mission_sessions
 WHERE id = ANY(%(sessions)s::uuid[]) AND status = 'active'
   AND last_heartbeat_at < now() - interval '19 minutes'
"""
_FORGET_SESSIONS = "DELETE FROM mission_sessions WHERE id = ANY(%(sessions)s::uuid[])"
_FORGET_STREAMS = "DELETE FROM workspace_stream_sessions WHERE id = ANY(%(streams)s::uuid[])"


# A tool's answers are written into the state instead of Storage, and go with every beat.
_GROW = """
UPDATE mission_sessions SET state = state || jsonb_build_object('transcript', repeat('x', 60000))
 WHERE id = (SELECT id FROM mission_sessions
              WHERE state ? 'runner' AND status = 'active' ORDER BY id LIMIT 1)
"""
_GROWN = """
SELECT count(*) FROM telemetry_events
 WHERE event_type = 'session_heartbeat' AND created_at > now() - interval '1 minute'
   AND (context ->> 'session_state_size_bytes')::int > 60000
"""
_SHRINK = "UPDATE mission_sessions SET state = state - 'transcript' WHERE state ? 'transcript'"
_FORGET_GROWN = """
UPDATE telemetry_events SET context = context - 'session_state_size_bytes'
 WHERE event_type = 'session_heartbeat' AND created_at > now() - interval '1 hour'
   AND (context ->> 'session_state_size_bytes')::int > 60000
"""
_SEEN_WITHIN_S = 10.0


def grow_state(lab: LabState) -> None:
    """Let one live session's state grow to forty times its size."""
    with superuser(lab) as connection:
        connection.execute(_GROW)
        until(
            lambda: first_value(connection, _GROWN) > 0,
            within_s=_SEEN_WITHIN_S,
            otherwise="No beat carried the larger state",
        )


def shrink_state(lab: LabState) -> None:
    """Cut the state down again, and forget the beats that carried it."""
    with superuser(lab) as connection:
        connection.execute(_SHRINK)
        connection.execute(_FORGET_GROWN)


def forget_sessions(lab: LabState) -> None:
    """Leave five sessions of ended missions active and their streams open."""
    rows = {"sessions": _SESSIONS, "streams": _STREAMS}
    with superuser(lab) as connection:
        with connection.transaction():
            connection.execute("SET LOCAL session_replication_role = replica")
            connection.execute(_FORGOTTEN_SESSIONS, rows)
            connection.execute(_FORGOTTEN_STREAMS, rows)
        silent = first_value(connection, _SILENT_SESSIONS, sessions=_SESSIONS)
    if silent != len(_SESSIONS):
        raise LabError(f"Only {silent} sessions could be made silent.")


def heal_sessions(lab: LabState) -> None:
    """Remove those sessions and streams."""
    with superuser(lab) as connection:
        connection.execute(_FORGET_STREAMS, {"streams": _STREAMS})
        connection.execute(_FORGET_SESSIONS, {"sessions": _SESSIONS})
    restore_live_sessions(lab, anew=restore_agent(lab))
