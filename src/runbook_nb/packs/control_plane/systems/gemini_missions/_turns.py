"""The turns of the model as agents write them down: what they used, and how they were refused."""

from datetime import timedelta
from typing import Any, Final

from runbook_nb.packs.control_plane.systems._gemini_models import in_use
from runbook_nb.packs.control_plane.systems._gemini_quotas import TIGHT, quotas_of
from runbook_nb.probes.calls import Systems

# No mission takes more than its share of what all need, unless it is urgent.
URGENT: Final = frozenset({"urgent", "high"})
SAFETY: Final = ("SAFETY", "PROHIBITED_CONTENT", "BLOCKLIST")

# The newest turn of each mission tells how it stands; one that was answered later goes on.
STOPPED: Final = """
with turn as (
    select distinct on (e.mission_id)
           e.mission_id, e.tenant_id, e.event_type, e.context, e.created_at
    from telemetry_events e
    where e.created_at > now() - %(window)s
      and (e.event_type = 'model_call_error'
           or (e.event_type = 'composio_tool_call' and e.context ? 'model'))
    order by e.mission_id, e.created_at desc
)
select m.id::text as mission_id, m.title, m.priority, t.slug as tenant,
       turn.context ->> 'model' as model, turn.context ->> 'error_code' as error_code,
       turn.context ->> 'quota_id' as quota,
       (turn.context ->> 'retry_after_seconds')::int as wait_s, turn.created_at as since
from turn
join missions m on m.id = turn.mission_id and m.status = 'in_progress'
join tenants t on t.id = turn.tenant_id
where turn.event_type = 'model_call_error'
  and not coalesce(turn.context ->> 'error_code', '') = any(%(safety)s)
order by turn.created_at, m.id
"""
HELD_BACK: Final = """
select t.slug as tenant, count(*) as held_back, count(distinct e.mission_id) as missions,
       max(e.created_at) as newest
from telemetry_events e
join tenants t on t.id = e.tenant_id
where e.created_at > now() - %(window)s
  and e.event_type = 'model_call_error'
  and e.context ->> 'error_code' = any(%(safety)s)
group by t.slug
order by held_back desc, t.slug
"""
LARGEST: Final = """
with turn as (
    select e.mission_id, sum((e.context ->> 'prompt_tokens')::numeric) as tokens, count(*) as turns
    from telemetry_events e
    where e.created_at > now() - %(window)s
      and e.event_type = 'composio_tool_call'
      and e.context ? 'prompt_tokens'
    group by e.mission_id
)
select m.id::text as mission_id, m.title, m.priority, m.status::text, t.slug as tenant, turn.turns,
       turn.tokens::float as tokens,
       round(100 * turn.tokens / nullif(sum(turn.tokens) over (), 0), 1)::float as percent
from turn
join missions m on m.id = turn.mission_id
join tenants t on t.id = m.tenant_id
order by turn.tokens desc, m.id
limit 1
"""


def stopped_missions(systems: Systems, *, window: timedelta) -> list[dict[str, Any]]:
    """Return the missions at work whose newest turn a model refused."""
    return systems.database().rows(STOPPED, window=window, safety=[*SAFETY])


def held_back_by_tenant(systems: Systems, *, window: timedelta) -> list[dict[str, Any]]:
    """Return the tenants whose texts were held back for safety, the most first."""
    return systems.database().rows(HELD_BACK, window=window, safety=[*SAFETY])


def largest_mission(systems: Systems, *, window: timedelta) -> dict[str, Any] | None:
    """Return the mission at work that sent the most tokens while a model's minute is tight.

    None where no minute is tight, or where that mission is not at work any more.
    """
    tight = [
        quotas["tokens_a_minute"].as_json()
        for model in sorted({*in_use(systems).values()})
        for quotas in (quotas_of(systems, model),)
        if quotas["tokens_a_minute"].percent >= TIGHT
    ]
    rows = systems.database().rows(LARGEST, window=window) if tight else []
    if not rows or rows[0]["status"] != "in_progress":
        return None
    return {**rows[0], "tight": tight}
