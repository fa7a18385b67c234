"""The states of sessions at work, each beside what the platform's tables hold of its mission."""

from typing import Any, Final

from runbook_nb.errors import NoAnswerError
from runbook_nb.probes.calls import Systems

# What agents keep of a mission; the runner is the process that has claimed the session.
KEYS: Final = frozenset(
    {
        *("mission_id", "tenant_id", "user_id", "current_stage", "mission_brief", "safeguards"),
        *("confidence_scores", "anticipated_connections", "granted_scopes", "coverage_estimate"),
        *("readiness_status", "ranked_plays", "undo_plans", "tool_usage_patterns"),
        *("validation_results", "auto_fix_attempts", "approval_decision", "approval_audit"),
        *("execution_results", "heartbeat_timestamp", "evidence_bundles"),
        *("library_contributions", "error_context", "revision_id", "runner"),
    }
)
# Without these nobody can go on with a mission.
NEEDED: Final = ("mission_id", "current_stage", "mission_brief")
# Kept beside a session under its agent's name, so that no agent takes it for its own.
BEFORE: Final = ".before."

# What the tables hold wins over any state. What a table was told within the last minute may still
# be on its way to the session: only these keys of its state are not judged yet.
STATES: Final = """
with held as (
    select s.id, s.mission_id, s.agent_name, s.state, m.tenant_id, m.current_stage,
           case when m.updated_at > now() - interval '1 minute'
                then array['user_id', 'current_stage', 'readiness_status'] else '{}' end
           || case when exists (
                   select from mission_metadata d
                   where d.mission_id = m.id and d.updated_at > now() - interval '1 minute')
                then array['mission_brief'] else '{}' end
           || case when exists (
                   select from mission_plays p
                   where p.mission_id = m.id and p.updated_at > now() - interval '1 minute')
                then array['ranked_plays', 'undo_plans'] else '{}' end
           || case when exists (
                   select from mission_approvals a
                   where a.mission_id = m.id and a.updated_at > now() - interval '1 minute')
                then array['approval_decision'] else '{}' end as moving,
           jsonb_strip_nulls(jsonb_build_object(
               'mission_id', m.id,
               'tenant_id', m.tenant_id,
               'user_id', m.owner_id,
               'current_stage', m.current_stage,
               'mission_brief', (
                   select jsonb_object_agg(d.metadata_key, d.metadata_value -> 'value')
                   from mission_metadata d where d.mission_id = m.id),
               'ranked_plays', (
                   select jsonb_agg(p.id order by p.ranking)
                   from mission_plays p where p.mission_id = m.id),
               'undo_plans', (
                   select jsonb_agg(p.undo_plan_id)
                   from mission_plays p where p.mission_id = m.id and p.selected),
               'readiness_status', m.readiness,
               'approval_decision', (
                   select a.status from mission_approvals a
                   where a.mission_id = m.id and a.status in ('approved', 'rejected')
                   order by a.decision_at desc limit 1))) as truth
    from mission_sessions s
    join missions m on m.id = s.mission_id
    where s.status = 'active' and m.status = 'in_progress'
)
select h.id::text as session, h.mission_id::text as mission, h.agent_name,
       md5(h.state::text) as seen, h.state, h.truth, h.moving,
       octet_length(h.state::text) as bytes,
       coalesce((h.state ->> 'revision_id')::int, 0) as revision,
       (select count(*) from workspace_stream_sessions w
        where w.mission_id = h.mission_id and w.disconnected_at is null
          and w.sampling_mode is distinct from 'synthetic') as tabs,
       (select max((w.metadata ->> 'revision_id')::int) from workspace_stream_sessions w
        where w.mission_id = h.mission_id and w.disconnected_at is null) as newest_tab,
       (select c.state from mission_sessions c
        where c.mission_id = h.mission_id and c.id <> h.id
          and c.state ->> 'mission_id' = h.mission_id::text
          and strpos(c.agent_name, %(before)s) = 0
        order by (c.state ->> 'revision_id')::int desc nulls last, c.created_at desc limit 1
       ) as checkpoint
from held h
order by h.id
"""


def states(systems: Systems) -> list[dict[str, Any]]:
    """Return the state of every session at work, with what the tables hold of its mission.

    Raises NoAnswerError when no session is at work: then nobody's workspace can be judged.
    """
    rows = systems.database().rows(STATES, before=BEFORE)
    if not rows:
        message = "No session is at work, so no workspace has a state to look at."
        raise NoAnswerError(message)
    return rows


def is_lost(row: dict[str, Any]) -> bool:
    """Tell whether a state lacks what nobody can go on without."""
    return any(not row["state"].get(key) for key in NEEDED)


def is_foreign(row: dict[str, Any]) -> bool:
    """Tell whether a state speaks of another mission or tenant."""
    named = ("mission_id", "tenant_id")
    return any(row["state"].get(key) not in (None, row["truth"][key]) for key in named)


def differing(row: dict[str, Any]) -> list[str]:
    """Return the keys on which a state says something else than the tables."""
    if is_lost(row) or is_foreign(row):
        return []
    # A decision that nobody has written is as wrong as one that is missing.
    state, truth = row["state"], {"approval_decision": None, **row["truth"]}
    differ = (key for key, value in truth.items() if state.get(key) != value)
    return [key for key in differ if key not in row["moving"]]


def is_rolled_back(row: dict[str, Any]) -> bool:
    """Tell whether an open tab has seen a newer revision than the one that is stored."""
    return not is_lost(row) and (row["newest_tab"] or 0) > row["revision"]


def large_keys(row: dict[str, Any]) -> list[str]:
    """Return the keys of a state that no agent knows."""
    return sorted(set(row["state"]) - KEYS)


def shown(row: dict[str, Any], **more: object) -> dict[str, Any]:
    """Return what a responder needs of a state: ids and keys, no content."""
    about = {"session": row["session"], "mission": row["mission"], "agent": row["agent_name"]}
    return {**about, "revision": row["revision"], "open tabs": row["tabs"], **more}
