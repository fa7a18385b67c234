"""What a page load costs under the policies."""

import json
from typing import Final

from runbook_nb.errors import NoAnswerError
from runbook_nb.probes.calls import Reading, Systems, probe

TENANT: Final = """
select m.tenant_id::text as tenant,
       (array_agg(m.id order by m.updated_at desc))[1]::text as mission
from missions m
group by m.tenant_id
order by count(*) desc
limit 1
"""
BECOME_TENANT: Final = """
select set_config('request.jwt.claims', %(claims)s, true),
       set_config('role', 'authenticated', true),
       set_config('row_security', 'on', true)
"""
# What every page load asks for: the board of missions, and the timeline of one.
BOARD: Final = """
explain (analyze, format json)
select * from missions order by updated_at desc limit 50
"""
TIMELINE: Final = """
explain (analyze, format json)
select * from telemetry_events
where mission_id = %(mission)s
order by created_at desc
limit 100
"""


@probe(unit="ms", timeout_s=30, alone=True)
def cost(systems: Systems) -> Reading:
    """Time the two queries of every page load as a tenant; returns the slower one in milliseconds.

    The tenant is the one with most missions; the system ``viewer`` looks as it. Raises
    NoAnswerError when there is no mission.
    """
    database = systems.database()
    found = database.rows(TENANT)
    if not found:
        message = "There is no mission, so no page to time."
        raise NoAnswerError(message)
    viewer = systems.database("viewer")
    with viewer.transaction(rollback=True):
        claims = {"role": "authenticated", "roles": [], "tenant_id": found[0]["tenant"]}
        viewer.rows(BECOME_TENANT, claims=json.dumps(claims))
        plans = {
            "board of missions": viewer.value(BOARD)[0],
            "timeline of a mission": viewer.value(TIMELINE, mission=found[0]["mission"])[0],
        }
    rows = [
        {
            "query": query,
            "took_ms": round(plan["Execution Time"], 2),
            "rows": plan["Plan"]["Actual Rows"],
        }
        for query, plan in plans.items()
    ]
    return Reading(value=max(row["took_ms"] for row in rows), detail=rows)
