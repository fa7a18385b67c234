"""What is read of the missions' tool calls."""

from datetime import timedelta
from typing import Final

from runbook_nb.errors import NoAnswerError
from runbook_nb.probes.calls import Reading, Systems, probe

# A run of failures ends at the next call of that mission and toolkit that did not fail so.
AUTH_RUNS: Final = """
with call as (
    select mission_id, toolkit, occurred_at,
           status = 'auth_expired'
           or error_code in ('AUTH_EXPIRED', 'OAUTH_EXPIRED') as refused
    from composio_audit_events
    where occurred_at > now() - %(window)s
),
numbered as (
    select mission_id, toolkit, refused,
           row_number() over (partition by mission_id, toolkit order by occurred_at)
           - row_number() over (
               partition by mission_id, toolkit, coalesce(refused, false) order by occurred_at
           ) as run
    from call
)
select mission_id, toolkit, count(*) as in_a_row
from numbered
where refused
group by mission_id, toolkit, run
order by in_a_row desc
limit 20
"""
EXPIRED: Final = """
select id, mission_id, toolkit_slug, expires_at
from mission_connections
where status = 'approved'
  and expires_at < now()
order by expires_at
"""
RATE_LIMITED: Final = """
select toolkit, count(*) as hits, count(distinct mission_id) as missions
from composio_audit_events
where occurred_at > now() - %(window)s
  and (status = 'rate_limit' or error_code in ('RATE_LIMIT', 'RATE_LIMIT_EXCEEDED'))
group by toolkit
order by hits desc
"""
# The newest calls of each toolkit tell how it is now, however busy or quiet the hour is.
NEWEST: Final = """
select toolkit,
       count(*) as calls,
       count(*) filter (where status = 'error') as errors,
       max(occurred_at) as newest_at
from (
    select toolkit, status, occurred_at,
           row_number() over (partition by toolkit order by occurred_at desc) as place
    from composio_audit_events
) as call
where place <= %(calls)s
group by toolkit
having count(*) = %(calls)s
order by errors desc, toolkit
"""


@probe(unit="in a row")
def auth_failures(systems: Systems, *, window: timedelta) -> Reading:
    """Return the longest run of calls refused for an expired login, by mission and toolkit."""
    rows = systems.database().rows(AUTH_RUNS, window=window)
    return Reading(value=rows[0]["in_a_row"] if rows else 0, detail=rows)


@probe(unit="connections")
def expired_connections(systems: Systems) -> Reading:
    """Count connections that are past their expiry and still marked approved."""
    rows = systems.database().rows(EXPIRED)
    return Reading(value=len(rows), detail=rows)


@probe(unit="hits")
def rate_limited(systems: Systems, *, window: timedelta) -> Reading:
    """Count the calls that were answered with a rate limit."""
    rows = systems.database().rows(RATE_LIMITED, window=window)
    return Reading(value=sum(row["hits"] for row in rows), detail=rows)


@probe(unit="%")
def worst_toolkit(systems: Systems, *, calls: int = 20) -> Reading:
    """Return the share of errors among the newest ``calls`` of the worst toolkit, in percent.

    Rate limits and expired logins are not errors of the partner. Raises NoAnswerError while no
    toolkit was called so often.
    """
    rows = systems.database().rows(NEWEST, calls=calls)
    if not rows:
        message = f"No toolkit was ever called {calls} times."
        raise NoAnswerError(message)
    return Reading(value=round(100 * rows[0]["errors"] / calls, 1), detail=rows)
