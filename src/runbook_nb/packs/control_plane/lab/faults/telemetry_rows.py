"""Faults in stored events: a gap of some days ago, copies, and events without their context."""

from typing import Final

from runbook_nb.errors import LabError
from runbook_nb.packs.control_plane.lab.faults.fault import Fault
from runbook_nb.packs.control_plane.lab.faults.outside import first_value, superuser
from runbook_nb.packs.control_plane.lab.state import LabState

# The window of some calls of missions that are over, the newest ones or those of days ago.
_GAP: Final = """
CREATE SCHEMA IF NOT EXISTS aside_gap;
CREATE TABLE aside_gap.telemetry_events AS
WITH call AS (
    SELECT audit.occurred_at AS at, mission.id, mission.tenant_id
      FROM composio_audit_events AS audit
      JOIN missions AS mission ON mission.id = audit.mission_id
     WHERE mission.status = 'completed' AND audit.status = 'success'
       AND audit.occurred_at < now() - interval '{days} days' {which}
     ORDER BY at DESC
     LIMIT {calls}
), gap AS (
    SELECT min(at) - interval '2 minutes' AS since, max(at) + interval '2 minutes' AS until
      FROM call
)
SELECT event.*
  FROM telemetry_events AS event
  JOIN missions AS mission ON mission.id = event.mission_id
 CROSS JOIN gap
 WHERE event.created_at BETWEEN gap.since AND gap.until
   AND mission.status = 'completed' {which};
DELETE FROM telemetry_events AS event
 USING aside_gap.telemetry_events AS aside WHERE aside.id = event.id;
"""
_LARGEST: Final = """AND mission.tenant_id = (
    SELECT tenant_id FROM missions GROUP BY tenant_id ORDER BY count(*) DESC, tenant_id LIMIT 1)"""
_FILL_GAP: Final = """
DELETE FROM telemetry_events WHERE context ? 'backfilled';
INSERT INTO telemetry_events
SELECT event.* FROM aside_gap.telemetry_events AS event
 WHERE EXISTS (SELECT FROM missions WHERE id = event.mission_id)
ON CONFLICT (id) DO NOTHING;
DROP SCHEMA aside_gap CASCADE;
"""
# A client that got no answer sent its batch again; each event got a new id.
_DOUBLE: Final = """
INSERT INTO telemetry_events
       (id, mission_id, tenant_id, user_id, agent_name, stage, event_type, status, context,
        payload_sha, correlation_id, created_at)
SELECT md5(event.id::text || copy)::uuid, mission_id, tenant_id, user_id, agent_name, stage,
       event_type, status, context, payload_sha, correlation_id, created_at
  FROM (SELECT * FROM telemetry_events
         WHERE mission_id IS NOT NULL AND event_type <> 'session_heartbeat'
           AND created_at > now() - interval '5 days' {which}
         ORDER BY created_at DESC LIMIT {events}) AS event,
       generate_series(1, {copies}) AS copy
ON CONFLICT (id) DO NOTHING
"""
_FORGET_COPIES: Final = """
DELETE FROM telemetry_events AS copy
 USING telemetry_events AS event, generate_series(1, 3) AS number
 WHERE copy.id = md5(event.id::text || number)::uuid;
DROP SCHEMA IF EXISTS runbook_kept CASCADE;
"""
_EMPTY: Final = """
CREATE SCHEMA IF NOT EXISTS aside_context;
CREATE TABLE aside_context.event AS
SELECT id, context FROM telemetry_events
 WHERE mission_id IS NOT NULL AND created_at > now() - interval '20 hours' AND {which}
 ORDER BY created_at DESC LIMIT 120;
UPDATE telemetry_events AS event SET context = '{{}}'
  FROM aside_context.event AS aside WHERE aside.id = event.id;
"""
_FILL_CONTEXT: Final = """
UPDATE telemetry_events AS event SET context = aside.context
  FROM aside_context.event AS aside WHERE aside.id = event.id;
DROP SCHEMA aside_context CASCADE;
"""
_OF_PAGES: Final = "agent_name IS NULL AND event_type <> 'session_heartbeat'"
_OF_ONE_TENANT: Final = """event_type <> 'session_heartbeat' AND tenant_id = (
    SELECT tenant_id FROM missions GROUP BY tenant_id ORDER BY count(*) DESC, tenant_id LIMIT 1)"""


def leave_gap(lab: LabState, *, days: int = 0, calls: int = 16, which: str = "") -> None:
    """Lose the events of ended missions around some of their calls; all else stays."""
    heal_gap(lab)
    with superuser(lab) as connection:
        connection.execute(_GAP.format(days=days, calls=calls, which=which).encode())
        if not first_value(connection, "SELECT count(*) FROM aside_gap.telemetry_events"):
            raise LabError("No mission of these days is over, so no gap can be left.")


def heal_gap(lab: LabState) -> None:
    """Put the events of the gap back; what was filled goes."""
    with superuser(lab) as connection:
        if first_value(connection, "SELECT to_regnamespace('aside_gap') IS NOT NULL"):
            connection.execute(_FILL_GAP)


def double_events(lab: LabState, *, events: int = 150, copies: int = 1, which: str = "") -> None:
    """Store the newest events of missions once more, under new ids."""
    with superuser(lab) as connection:
        statement = _DOUBLE.format(events=events, copies=copies, which=which)
        connection.execute(statement.encode())


def heal_copies(lab: LabState) -> None:
    """Forget the copies, and what was kept of them."""
    with superuser(lab) as connection:
        connection.execute(_FORGET_COPIES)


def empty_contexts(lab: LabState, *, which: str = _OF_PAGES) -> None:
    """Take the context from the newest events of one source."""
    heal_contexts(lab)
    with superuser(lab) as connection:
        connection.execute(_EMPTY.format(which=which).encode())
        if not first_value(connection, "SELECT count(*) FROM aside_context.event"):
            raise LabError("No such event was stored today, so none can lose its context.")


def heal_contexts(lab: LabState) -> None:
    """Give the events their contexts again."""
    with superuser(lab) as connection:
        if first_value(connection, "SELECT to_regnamespace('aside_context') IS NOT NULL"):
            connection.execute(_FILL_CONTEXT)


FAULTS = (
    Fault(
        name="gap_left",
        title="Events are stored again, and those of some hours were never stored",
        inject=leave_gap,
        heal=heal_gap,
    ),
    Fault(
        name="gap_left.old",
        title="A gap of more than two days ago",
        inject=lambda lab: leave_gap(lab, days=2),
        heal=heal_gap,
    ),
    Fault(
        name="gap_left.one_tenant",
        title="A gap in the events of one tenant",
        inject=lambda lab: leave_gap(lab, which=_LARGEST),
        heal=heal_gap,
    ),
    Fault(
        name="gap_left.small",
        title="A gap of one mission's calls",
        inject=lambda lab: leave_gap(lab, calls=5),
        heal=heal_gap,
    ),
    Fault(
        name="events_doubled",
        title="A batch of events was stored twice",
        inject=double_events,
        heal=heal_copies,
    ),
    Fault(
        name="events_doubled.tool_calls",
        title="Only the events of tool calls were stored twice",
        inject=lambda lab: double_events(lab, which="AND event_type = 'composio_tool_call'"),
        heal=heal_copies,
    ),
    Fault(
        name="events_doubled.three_times",
        title="A few events were stored four times",
        inject=lambda lab: double_events(lab, events=10, copies=3),
        heal=heal_copies,
    ),
    Fault(
        name="events_doubled.pages",
        title="Only the events of the pages were stored twice",
        inject=lambda lab: double_events(lab, which="AND agent_name IS NULL"),
        heal=heal_copies,
    ),
    Fault(
        name="contexts_empty",
        title="Events of the pages are stored without their context",
        inject=empty_contexts,
        heal=heal_contexts,
    ),
    Fault(
        name="contexts_empty.agent",
        title="Events of the executor's calls are stored without their context",
        inject=lambda lab: empty_contexts(lab, which="event_type = 'composio_tool_call'"),
        heal=heal_contexts,
    ),
    Fault(
        name="contexts_empty.one_tenant",
        title="Events of one tenant are stored without their context",
        inject=lambda lab: empty_contexts(lab, which=_OF_ONE_TENANT),
        heal=heal_contexts,
    ),
    Fault(
        name="contexts_empty.decisions",
        title="Only the events of approvals are stored without their context",
        inject=lambda lab: empty_contexts(lab, which="event_type = 'approval_granted'"),
        heal=heal_contexts,
    ),
)
