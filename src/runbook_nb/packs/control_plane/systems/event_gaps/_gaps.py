"""Calls that no event saw, the gaps that they lie in, and the records that still tell of them."""

from datetime import datetime, timedelta
from typing import Any, Final

from runbook_nb.probes.connections import Database

# A call and its event are written together; a minute allows for slow writes (cross-source check).
# Only successful calls count: of a call that is tried again not every try is told as an event.
UNSEEN: Final = """
select a.id, a.tenant_id, a.mission_id, a.occurred_at,
       not exists (
           select from telemetry_events t
           where t.mission_id = a.mission_id
             and t.created_at between a.occurred_at - interval '60 seconds'
                                  and a.occurred_at + interval '60 seconds'
       ) as unseen
from composio_audit_events a
where a.occurred_at > now() - %(window)s
  and a.occurred_at < now() - interval '60 seconds'
  and a.status = 'success'
  and a.mission_id is not null
order by a.occurred_at
"""
# What each record tells, as the platform's own code would have told it. Free text stays behind.
RECORDS: Final = """
select 'composio_audit_events' as source, a.id as source_id, a.mission_id, 'executor' as agent_name,
       'Execute' as stage,
       case a.status when 'success' then 'composio_tool_call' else 'composio_tool_call_error' end
           as event_type,
       case a.status when 'success' then 'success' when 'rate_limit' then 'warning' else 'error' end
           as status,
       jsonb_build_object('toolkit', a.toolkit, 'action', a.action, 'duration_ms', a.latency_ms,
                          'outcome', a.status, 'error_code', a.error_code) as context,
       a.occurred_at as at
from composio_audit_events a
union all
select 'mission_approvals', p.id, p.mission_id, null, 'Approve', 'approval_requested', 'info',
       jsonb_build_object('approver_role', p.approver_role, 'due_at', p.due_at,
                          'play_id', p.mission_play_id), p.created_at
from mission_approvals p
union all
select 'mission_approvals', p.id, p.mission_id, null, 'Approve',
       case p.status when 'approved' then 'approval_granted' else 'approval_rejected' end, 'info',
       jsonb_build_object('approver_role', p.approver_role, 'play_id', p.mission_play_id),
       p.decision_at
from mission_approvals p
where p.status in ('approved', 'rejected')
union all
select 'undo_events', u.id, u.mission_id, null, 'Execute',
       case u.event_type when 'available' then 'undo_available'
                         when 'requested' then 'undo_requested' else 'undo_completed' end, 'info',
       jsonb_build_object('undo_plan_id', u.undo_plan_id, 'outcome', u.status), u.occurred_at
from undo_events u
where u.event_type in ('available', 'requested', 'executed', 'failed')
union all
select 'mission_feedback', f.id, f.mission_id, null, 'Reflect', 'feedback_submitted', 'info',
       jsonb_build_object('rating', f.rating, 'effort_saved_hours', f.effort_saved_hours),
       f.submitted_at
from mission_feedback f
union all
select 'workspace_stream_sessions', w.id, w.mission_id, null, 'Execute', 'workspace_stream_open',
       'info', jsonb_build_object('session_id', w.session_id, 'sampling_mode', w.sampling_mode,
                                  'telemetry_disabled', w.telemetry_disabled), w.connected_at
from workspace_stream_sessions w
union all
select 'missions', m.id, m.id, null, 'Reflect', 'mission_completed', 'info', '{}'::jsonb,
       m.completed_at
from missions m
"""
# In a gap, of a mission that is still there, and not told by an event of its own.
UNTOLD: Final = f"""
with record as ({RECORDS})
select r.*, m.tenant_id
from record r
join missions m on m.id = r.mission_id
where r.at >= %(since)s
  and r.at <= %(until)s
  and not exists (
      select from telemetry_events t
      where t.mission_id = r.mission_id
        and t.event_type = r.event_type
        and t.created_at between r.at - interval '5 seconds' and r.at + interval '5 seconds'
  )
order by r.at, r.source_id
"""
UNFILLED: Final = """
select t.event_type, round(count(*) / 28.0, 1)::float as "a day, usually"
from telemetry_events t
where t.created_at > now() - interval '28 days'
  and t.mission_id is not null
  and t.event_type <> all(%(filled)s)
group by t.event_type
order by count(*) desc
"""
EDGES: Final = """
select max(created_at) filter (where created_at < %(first)s) as before,
       min(created_at) filter (where created_at > %(last)s) as after
from telemetry_events
where mission_id = any(%(missions)s)
"""
FILLED: Final = (
    *("composio_tool_call", "composio_tool_call_error", "approval_requested"),
    *("approval_granted", "approval_rejected", "undo_available", "undo_requested"),
    *("undo_completed", "feedback_submitted", "workspace_stream_open", "mission_completed"),
)
# Unseen calls further apart than this lie in two gaps.
APART: Final = timedelta(minutes=30)
# A lone call says little of where its gap begins.
FURTHEST: Final = timedelta(minutes=15)


def calls(database: Database, window: timedelta) -> list[dict[str, Any]]:
    """Return the successful calls of the window, oldest first, each seen by an event or not."""
    return database.rows(UNSEEN, window=window)


def gaps(database: Database, found: list[dict[str, Any]]) -> list[tuple[datetime, datetime]]:
    """Return the gaps that the unseen calls lie in, from the last event before to the next."""
    groups: list[list[dict[str, Any]]] = []
    for call in (one for one in found if one["unseen"]):
        if groups and call["occurred_at"] - groups[-1][-1]["occurred_at"] <= APART:
            groups[-1].append(call)
        else:
            groups.append([call])
    return [_edges(database, group) for group in groups]


def untold(database: Database, found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the records within the gaps that no event tells of."""
    rows = [
        row
        for since, until in gaps(database, found)
        for row in database.rows(UNTOLD, since=since, until=until)
    ]
    return list({(row["source_id"], row["event_type"]): row for row in rows}.values())


def unfilled(database: Database) -> list[dict[str, Any]]:
    """Return the kinds of events that no other record tells of."""
    return database.rows(UNFILLED, filled=list(FILLED))


def _edges(database: Database, group: list[dict[str, Any]]) -> tuple[datetime, datetime]:
    first, last = group[0]["occurred_at"], group[-1]["occurred_at"]
    missions = list({call["mission_id"] for call in group})
    edges = database.row(EDGES, first=first, last=last, missions=missions)
    since = max(edges["before"] or first, first - FURTHEST)
    until = min(edges["after"] or last + FURTHEST, last + FURTHEST)
    return since, until
