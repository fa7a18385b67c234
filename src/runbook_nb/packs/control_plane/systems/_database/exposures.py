"""Rows that somebody may have seen who should not have: misfiled ones, and unreviewed evidence."""

from typing import Final

# A row without a tenant is nobody's; one with another tenant's id shows in that tenant's figures.
MISFILED: Final = """
select 'telemetry_events' as table, t.id::text, t.mission_id::text, m.tenant_id::text as owner,
       t.tenant_id::text as filed_under, t.created_at as at
from telemetry_events t
join missions m on m.id = t.mission_id
where t.tenant_id <> m.tenant_id
  and t.created_at > now() - %(window)s
union all
select 'composio_audit_events', a.id::text, a.mission_id::text, m.tenant_id::text,
       a.tenant_id::text, a.occurred_at
from composio_audit_events a
join missions m on m.id = a.mission_id
where a.tenant_id <> m.tenant_id
  and a.occurred_at > now() - %(window)s
union all
select 'workspace_stream_sessions', s.id::text, s.mission_id::text, m.tenant_id::text,
       s.tenant_id::text, s.connected_at
from workspace_stream_sessions s
join missions m on m.id = s.mission_id
where s.tenant_id <> m.tenant_id
  and s.connected_at > now() - %(window)s
order by at
"""
# Whoever approves a mission opens its evidence in order to review it.
UNREVIEWED: Final = """
select e.id::text as evidence, e.mission_id::text, m.tenant_id::text, a.id::text as artifact,
       a.storage_path, a.hash, count(*) as times, min(t.created_at) as first,
       max(t.created_at) as last,
       array_agg(distinct coalesce(t.user_id::text, t.context ->> 'requested_by', t.agent_name))
           as actors,
       array_agg(t.id::text) as events
from mission_evidence e
join missions m on m.id = e.mission_id
join mission_artifacts a on a.id = e.artifact_id
join telemetry_events t on t.mission_id = e.mission_id
     and t.created_at >= e.created_at
     and (t.event_type = 'evidence_opened' and t.context ->> 'artifact_id' = a.id::text
          or t.event_type = 'audit_event_recorded' and t.context ->> 'artifact_hash' = a.hash
          or t.event_type = 'approval_exported')
where e.redaction_status = 'pending_review'
  and split_part(coalesce(a.storage_path, ''), '/', 1) <> %(withheld)s
  and not exists (select from mission_approvals p
                  where p.mission_id = e.mission_id and p.approver_id = t.user_id)
group by e.id, m.tenant_id, a.id
order by first
"""
# Who took evidence out, one line an artifact; the platform's own recording at bundling is none.
EXPORTS: Final = """
select id::text, coalesce(user_id::text, context ->> 'requested_by', 'agent ' || agent_name,
                           'nobody named') as actor,
       coalesce(context ->> 'artifact_id', mission_id::text, id::text) as artifact,
       mission_id::text, tenant_id::text, event_type, created_at as at
from telemetry_events
where event_type in ('evidence_opened', 'approval_exported')
  and created_at > now() - %(window)s
order by created_at
"""
