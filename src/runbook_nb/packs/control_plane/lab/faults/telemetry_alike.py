"""What looks like a stall of telemetry and is none, and stalls with something else beside them."""

from typing import Final

from runbook_nb.packs.control_plane.lab.faults.fault import Fault
from runbook_nb.packs.control_plane.lab.faults.outside import (
    first_value,
    restore_live_sessions,
    superuser,
)
from runbook_nb.packs.control_plane.lab.faults.telemetry_agent import (
    degrade_agent,
    heal_agent_buffers,
)
from runbook_nb.packs.control_plane.lab.faults.telemetry_path import (
    heal_path,
    heal_purge,
    reach_further,
    refuse_inserts,
    take_young,
)
from runbook_nb.packs.control_plane.lab.state import LabState

_MARK: Final = "telemetry-alike"
# The teams have gone home: their sessions were paused hours ago, and nothing was called since.
_PAUSE: Final = """
CREATE SCHEMA aside_night;
CREATE TABLE aside_night.moved AS
SELECT id FROM composio_audit_events WHERE occurred_at > now() - interval '3 hours'
UNION ALL
SELECT id FROM workspace_stream_sessions WHERE connected_at > now() - interval '3 hours'
UNION ALL
SELECT id FROM telemetry_events
 WHERE mission_id IS NOT NULL AND created_at > now() - interval '3 hours';
UPDATE mission_sessions SET status = 'idle' WHERE state ? 'runner';
UPDATE composio_audit_events SET occurred_at = occurred_at - interval '3 hours'
 WHERE id IN (SELECT id FROM aside_night.moved);
UPDATE telemetry_events SET created_at = created_at - interval '3 hours'
 WHERE id IN (SELECT id FROM aside_night.moved);
UPDATE workspace_stream_sessions SET connected_at = connected_at - interval '3 hours'
 WHERE id IN (SELECT id FROM aside_night.moved);
"""
_WAKE: Final = """
UPDATE composio_audit_events SET occurred_at = occurred_at + interval '3 hours'
 WHERE id IN (SELECT id FROM aside_night.moved);
UPDATE telemetry_events SET created_at = created_at + interval '3 hours'
 WHERE id IN (SELECT id FROM aside_night.moved);
UPDATE workspace_stream_sessions SET connected_at = connected_at + interval '3 hours'
 WHERE id IN (SELECT id FROM aside_night.moved);
DROP SCHEMA aside_night CASCADE;
"""
_STAMP: Final = """
CREATE SCHEMA IF NOT EXISTS aside_audit;
CREATE OR REPLACE FUNCTION aside_audit.stamp() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.payload_sha := md5(NEW.id::text);
    RETURN NEW;
END $$;
CREATE OR REPLACE TRIGGER stamp_events BEFORE INSERT ON telemetry_events
   FOR EACH ROW EXECUTE FUNCTION aside_audit.stamp();
"""
_COPY: Final = """
CREATE SCHEMA IF NOT EXISTS aside_audit;
CREATE TABLE IF NOT EXISTS aside_audit.kept (LIKE telemetry_events);
CREATE OR REPLACE FUNCTION aside_audit.keep() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER AS $$
BEGIN
    INSERT INTO aside_audit.kept SELECT NEW.*;
    RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER keep_events AFTER INSERT ON telemetry_events
   FOR EACH ROW EXECUTE FUNCTION aside_audit.keep();
"""
_UNAUDIT: Final = """
DROP TRIGGER IF EXISTS stamp_events ON telemetry_events;
DROP TRIGGER IF EXISTS keep_events ON telemetry_events;
DROP SCHEMA IF EXISTS aside_audit CASCADE;
"""
_TWICE: Final = """
WITH mission AS (
    SELECT id, tenant_id FROM missions WHERE status = 'completed' ORDER BY completed_at DESC LIMIT 3
), audit AS (
    INSERT INTO composio_audit_events
           (mission_id, tenant_id, toolkit, action, status, outcome, latency_ms, occurred_at)
    SELECT mission.id, tenant_id, 'github', 'GITHUB_LIST_ISSUES', 'success',
           jsonb_build_object('log_id', %(mark)s::text), 480, now() - interval '2 hours'
      FROM mission, generate_series(1, 2)
)
INSERT INTO telemetry_events
       (mission_id, tenant_id, agent_name, stage, event_type, status, context, correlation_id,
        created_at)
SELECT mission.id, tenant_id, 'executor', 'Execute', 'composio_tool_call', 'success',
       jsonb_build_object('toolkit', 'github', 'outcome', 'success'), %(mark)s,
       now() - interval '2 hours'
  FROM mission, generate_series(1, 2)
"""
_UNTWICE: Final = """
DELETE FROM composio_audit_events WHERE outcome ->> 'log_id' = 'telemetry-alike';
DELETE FROM telemetry_events WHERE correlation_id = 'telemetry-alike';
"""
_HOLD: Final = """
UPDATE cron.job SET active = false WHERE jobname = 'cleanup_telemetry_events'
"""
_AHEAD: Final = """
UPDATE telemetry_events SET created_at = created_at + interval '17 minutes',
       correlation_id = %(mark)s
 WHERE id IN (SELECT id FROM telemetry_events
               WHERE agent_name IS NOT NULL AND created_at > now() - interval '5 minutes'
               ORDER BY created_at DESC LIMIT 20)
"""
_BACK: Final = "DELETE FROM telemetry_events WHERE correlation_id = 'telemetry-alike'"
_CUT: Final = "REVOKE SELECT ON telemetry_events FROM runbook_reader"
_UNCUT: Final = "GRANT SELECT ON telemetry_events TO runbook_reader"


def _run(lab: LabState, statement: str) -> None:
    with superuser(lab) as connection, connection.transaction():
        connection.execute(statement.encode())


def quiet_night(lab: LabState) -> None:
    """Pause every session, hours ago: no event is due, and none comes from the agent."""
    _wake(lab)
    _run(lab, _PAUSE)


def _wake(lab: LabState) -> None:
    with superuser(lab) as connection:
        if first_value(connection, "SELECT to_regnamespace('aside_night') IS NOT NULL"):
            connection.execute(_WAKE)


def heal_night(lab: LabState) -> None:
    """Let the sessions run again."""
    _wake(lab)
    restore_live_sessions(lab, anew=False)


def calls_twice(lab: LabState) -> None:
    """Have three missions make the same call twice in one moment, and tell of both."""
    with superuser(lab) as connection:
        connection.execute(_TWICE, {"mark": _MARK})


def degrade_ahead(lab: LabState) -> None:
    """Degrade the agent after events that its clock dated 17 minutes ahead."""
    degrade_agent(lab)
    with superuser(lab) as connection:
        connection.execute(_AHEAD, {"mark": _MARK})


def heal_ahead(lab: LabState) -> None:
    """Forget the events of the future, and have the agent store again."""
    _run(lab, _BACK)
    heal_agent_buffers(lab)


def degrade_beside_purge(lab: LabState) -> None:
    """Degrade the agent while the purge reaches too far as well."""
    reach_further(lab)
    degrade_agent(lab)


def heal_beside_purge(lab: LabState) -> None:
    """Mend both."""
    heal_purge(lab)
    heal_agent_buffers(lab)


def refuse_beside_purge(lab: LabState) -> None:
    """Refuse inserts while the purge reaches too far as well."""
    reach_further(lab)
    refuse_inserts(lab)


def heal_refused_beside_purge(lab: LabState) -> None:
    """Mend both."""
    heal_purge(lab)
    heal_path(lab)


def take_unseen(lab: LabState) -> None:
    """Take events away while the reading role may not look at them."""
    take_young(lab)
    _run(lab, _CUT)


def heal_unseen(lab: LabState) -> None:
    """Give the reading role its right, and let events be stored."""
    _run(lab, _UNCUT)
    heal_path(lab)


FAULTS = (
    Fault(
        name="quiet_night",
        title="All sessions were paused hours ago: nothing works, so no event is due",
        inject=quiet_night,
        heal=heal_night,
    ),
    Fault(
        name="events_stamped",
        title="A trigger stamps each event before it is stored",
        inject=lambda lab: _run(lab, _STAMP),
        heal=lambda lab: _run(lab, _UNAUDIT),
    ),
    Fault(
        name="events_archived",
        title="A trigger copies each event into an archive of its own",
        inject=lambda lab: _run(lab, _COPY),
        heal=lambda lab: _run(lab, _UNAUDIT),
    ),
    Fault(
        name="calls_made_twice",
        title="Three missions really made one call twice in the same moment",
        inject=calls_twice,
        heal=lambda lab: _run(lab, _UNTWICE),
    ),
    Fault(
        name="purge_on_hold",
        title="The purge is held on purpose: nothing is deleted",
        inject=lambda lab: _run(lab, _HOLD),
        heal=heal_purge,
    ),
    Fault(
        name="agent_degraded.clock_ahead",
        title="The agent holds its events back, and its last ones are dated 17 minutes ahead",
        inject=degrade_ahead,
        heal=heal_ahead,
    ),
    Fault(
        name="agent_degraded.beside_purge",
        title="The agent holds its events back, and the purge reaches too far",
        inject=degrade_beside_purge,
        heal=heal_beside_purge,
    ),
    Fault(
        name="inserts_refused.beside_purge",
        title="Inserts are refused, and the purge reaches too far",
        inject=refuse_beside_purge,
        heal=heal_refused_beside_purge,
    ),
    Fault(
        name="events_taken.reader_cut",
        title="A trigger takes events away, and the reading role may not look",
        inject=take_unseen,
        heal=heal_unseen,
    ),
    Fault(
        name="purge_reaches.months",
        title="The purge keeps 100 days of events",
        inject=lambda lab: reach_further(lab, days=100),
        heal=heal_purge,
    ),
    Fault(
        name="purge_reaches.slightly",
        title="The purge keeps 179 days of events",
        inject=lambda lab: reach_further(lab, days=179),
        heal=heal_purge,
    ),
)
