"""The questions about links that did not end."""

from typing import Final

# What a mission before Approve asked for last; later ones re-authorise, which is another runbook's.
UNFINISHED: Final = """
with newest as (
    select distinct on (c.mission_id, c.toolkit_slug)
           c.id::text, c.mission_id, c.toolkit_slug as toolkit, c.connect_link_id,
           c.status::text, c.requested_scopes, c.requested_at, c.approved_at,
           c.metadata ->> 'connected_account' as account
    from mission_connections c
    order by c.mission_id, c.toolkit_slug, c.requested_at desc, c.id
),
wanted as (
    select n.*
    from newest n
    where n.status in ('initiated', 'failed', 'expired')
      and n.approved_at is null
    union all
    select null, s.mission_id, s.toolkit_slug, null, null, '[]', s.created_at, null, null
    from toolkit_selections s
    where s.metadata ->> 'auth_required' = 'true'
      and s.created_at < now() - %(settles)s
      and not exists (
          select from mission_connections c
          where c.mission_id = s.mission_id and c.toolkit_slug = s.toolkit_slug)
)
select w.*, w.mission_id::text, m.tenant_id::text as user_id, t.slug as tenant,
       now() - w.requested_at as age
from wanted w
join missions m on m.id = w.mission_id
 and m.status not in ('completed', 'archived')
 and m.current_stage in ('Home', 'Define', 'Prepare', 'Plan')
join tenants t on t.id = m.tenant_id
where w.requested_at > now() - %(window)s
order by w.requested_at, w.mission_id, w.toolkit
"""
# What browsers told of a link: the platform shows such an error and says so.
SURFACED: Final = """
select context ->> 'connect_link_id' as link, context ->> 'error_code' as code
from telemetry_events
where event_type = 'error_surface_viewed'
  and context ->> 'error_code' in ('popup_blocked', 'state_mismatch')
  and created_at > now() - %(window)s
"""
TOLD: Final = """
select (select count(*) from mission_connections
        where requested_at > now() - %(window)s) as links,
       (select count(*) from telemetry_events
        where event_type = 'composio_auth_flow' and created_at > now() - %(window)s) as events
"""
# What the platform asks for today, by toolkit, and what was granted short of it.
ASKED: Final = """
select distinct on (toolkit_slug) toolkit_slug as toolkit, requested_scopes as scopes
from mission_connections
where requested_scopes <> '[]'
order by toolkit_slug, requested_at desc
"""
SHORT: Final = """
select distinct toolkit_slug as toolkit
from mission_connections
where status = 'approved'
  and not granted_scopes @> requested_scopes
  and requested_at > now() - %(window)s
"""
# Each connection by its newest link; a request that is no link yet fails as well.
RATES: Final = """
with connection as (
    select distinct on (c.mission_id, c.toolkit_slug) c.mission_id, c.toolkit_slug as toolkit,
           c.requested_at, c.approved_at is null as failed
    from mission_connections c
    where c.requested_at > now() - interval '28 days'
      and (c.approved_at is not null or c.requested_at < now() - interval '10 minutes')
    order by c.mission_id, c.toolkit_slug, c.requested_at desc, c.id
),
request as (
    select * from connection
    union all
    select s.mission_id, s.toolkit_slug, s.created_at, true
    from toolkit_selections s
    where s.metadata ->> 'auth_required' = 'true'
      and s.created_at between now() - interval '28 days' and now() - interval '10 minutes'
      and not exists (
          select from mission_connections c
          where c.mission_id = s.mission_id and c.toolkit_slug = s.toolkit_slug)
)
select r.toolkit, t.slug as tenant,
       count(*) filter (where r.requested_at > now() - %(window)s) as requests,
       count(*) filter (where r.failed and r.requested_at > now() - %(window)s) as failed,
       count(*) filter (where r.requested_at > now() - interval '1 hour') as requests_1h,
       count(*) filter (where r.failed and r.requested_at > now() - interval '1 hour') as failed_1h,
       count(*) filter (where r.requested_at <= now() - %(window)s) as usual_requests,
       count(*) filter (where r.failed and r.requested_at <= now() - %(window)s) as usual_failed
from request r
join missions m on m.id = r.mission_id
join tenants t on t.id = m.tenant_id
group by grouping sets ((r.toolkit), (t.slug), (r.toolkit, t.slug))
order by failed desc, r.toolkit, t.slug
"""
# Connections recorded lately, with the account that each was recorded for.
RECORDED: Final = """
select c.id::text, c.mission_id::text, m.tenant_id::text as user_id, c.toolkit_slug as toolkit,
       c.metadata ->> 'connected_account' as account, c.granted_scopes
from mission_connections c
join missions m on m.id = c.mission_id and m.status not in ('completed', 'archived')
where c.status = 'approved'
  and c.approved_at > now() - %(window)s
  and c.metadata ? 'connected_account'
"""
