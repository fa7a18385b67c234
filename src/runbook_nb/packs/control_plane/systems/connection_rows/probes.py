"""What is read of our rows about connections."""

from datetime import timedelta
from typing import Final

from runbook_nb.errors import NoAnswerError
from runbook_nb.packs.control_plane.systems._database.calls import REFUSED
from runbook_nb.probes.calls import Reading, Systems, probe
from runbook_nb.probes.sight import demand_samples

# The platform escalates after three refusals in a row; fewer calls than that tell nothing.
CALLS: Final = 3
PAST_EXPIRY: Final = """
select c.id, c.toolkit_slug, c.metadata ->> 'account_alias' as account, c.expires_at,
       m.status as mission_status
from mission_connections c
join missions m on m.id = c.mission_id
where c.status = 'approved'
  and c.expires_at < now()
order by c.expires_at
"""
# A connection that lives for hours by design is renewed by Composio again and again; nobody plans
# for its end. One that was never approved for a known time counts.
NEXT_EXPIRY: Final = """
select c.id, c.toolkit_slug, c.metadata ->> 'account_alias' as account, c.expires_at,
       extract(epoch from c.expires_at - now()) / 3600 as hours_left
from mission_connections c
join missions m on m.id = c.mission_id and m.status not in ('completed', 'archived')
where c.status = 'approved'
  and c.expires_at >= now()
  and coalesce(c.expires_at - c.approved_at > interval '48 hours', true)
order by c.expires_at
limit 10
"""
SCOPE_GAP: Final = """
select c.id, c.toolkit_slug, c.metadata ->> 'account_alias' as account,
       c.requested_scopes, c.granted_scopes
from mission_connections c
join missions m on m.id = c.mission_id and m.status not in ('completed', 'archived')
where c.status = 'approved'
  and not c.granted_scopes @> c.requested_scopes
order by c.requested_at
"""
_CALLS: Final = f"""
with consent as (
    select m.tenant_id, c.toolkit_slug, max(c.approved_at) as at
    from mission_connections c
    join missions m on m.id = c.mission_id
    where c.status = 'approved'
    group by m.tenant_id, c.toolkit_slug
),
call as (
    select a.mission_id, a.tenant_id, a.toolkit, a.occurred_at, a.error_code,
           {REFUSED} as refused
    from composio_audit_events a
    left join consent on consent.tenant_id = a.tenant_id and consent.toolkit_slug = a.toolkit
    where a.occurred_at > now() - %(window)s
      and a.occurred_at <= now() + interval '5 seconds'
      and a.occurred_at > coalesce(consent.at, '-infinity')
)
"""
# One tenant that is refused every call must not hide behind the good calls of another.
ERROR_SHARE: Final = (
    _CALLS
    + """
select toolkit,
       coalesce(tenant_id::text, 'no tenant') as tenant,
       count(*) as calls,
       count(*) filter (where refused) as refused,
       round(100.0 * count(*) filter (where refused) / count(*), 1) as refused_percent
from call
group by toolkit, tenant_id
order by count(*) filter (where refused) >= %(least)s desc, refused_percent desc, toolkit, tenant
"""
)
LONGEST_RUN: Final = (
    _CALLS
    + """
, placed as (
    select *, count(*) filter (where not refused)
           over (partition by mission_id, toolkit order by occurred_at desc) as taken_since
    from call
)
select mission_id, toolkit, count(*) as refused_in_a_row, max(occurred_at) as last,
       max(error_code) as error_code
from placed
where refused
  and taken_since = 0
group by mission_id, toolkit
order by refused_in_a_row desc
limit 10
"""
)


@probe(unit="rows")
def past_expiry(systems: Systems) -> Reading:
    """Count approved connections whose time is over."""
    rows = systems.database().rows(PAST_EXPIRY)
    return Reading(value=len(rows), detail=rows)


@probe(unit="h")
def next_expiry(systems: Systems) -> Reading:
    """Return the hours until the next connection of an open mission ends.

    One that lives for 48 h or less by design is renewed by itself and not waited for.
    """
    rows = systems.database().rows(NEXT_EXPIRY)
    if not rows:
        message = "No open mission has an approved connection that is still valid."
        raise NoAnswerError(message)
    return Reading(value=round(float(rows[0]["hours_left"]), 1), detail=rows)


@probe(unit="rows")
def scope_gap(systems: Systems) -> Reading:
    """Count approved connections of open missions that were granted less than was asked for."""
    rows = systems.database().rows(SCOPE_GAP)
    return Reading(value=len(rows), detail=rows)


@probe(unit="%")
def auth_errors(systems: Systems, *, window: timedelta) -> Reading:
    """Return the share of calls refused for an expired consent, in percent, at its worst.

    Looked at is each toolkit of each tenant; three refusals are needed for one to count. Raises
    NoAnswerError below three calls.
    """
    rows = systems.database().rows(ERROR_SHARE, window=window, least=CALLS)
    demand_samples(sum(row["calls"] for row in rows), needed=CALLS, what="calls came in the window")
    worst = rows[0] if rows[0]["refused"] >= CALLS else None
    return Reading(value=float(worst["refused_percent"]) if worst else 0.0, detail=rows)


@probe(unit="calls")
def refused_in_a_row(systems: Systems, *, window: timedelta) -> Reading:
    """Return the longest run of refused calls, of one mission with one toolkit, that still goes on.

    The next call that is taken ends a run.
    """
    rows = systems.database().rows(LONGEST_RUN, window=window)
    return Reading(value=rows[0]["refused_in_a_row"] if rows else 0, detail=rows)
