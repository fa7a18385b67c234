"""The hands for faults at Gemini: its project, the agent's turns, and rows as agents leave them."""

from datetime import timedelta
from typing import Any, Final

import httpx

from runbook_nb.errors import LabError
from runbook_nb.packs.control_plane.lab.emulators.composio_accounts import TOOLKITS
from runbook_nb.packs.control_plane.lab.emulators.gemini import PROJECT
from runbook_nb.packs.control_plane.lab.emulators.gemini_models import USUAL
from runbook_nb.packs.control_plane.lab.faults.composio_hands import users
from runbook_nb.packs.control_plane.lab.faults.outside import (
    agent_run,
    first_value,
    lasting_id,
    restore_agent,
    restore_live_sessions,
    superuser,
    until,
)
from runbook_nb.packs.control_plane.lab.inspection import NO_CERTIFICATES
from runbook_nb.packs.control_plane.lab.state import LabState

MARK: Final = "gemini-fault"
_PLAYS: Final = [lasting_id(f"play of a fault at Gemini {number}") for number in range(4)]
_REFUSED_WITHIN_S: Final = 10.0

_REFUSED: Final = """
SELECT count(*) FROM telemetry_events
 WHERE event_type = 'model_call_error' AND correlation_id = ANY(%(plays)s::text[])
   AND created_at > %(since)s
"""
# One live mission after another, each with so many turns, the newest ``ago``.
_LEAVE: Final = """
INSERT INTO telemetry_events
       (mission_id, tenant_id, agent_name, stage, event_type, status, context, correlation_id,
        created_at)
SELECT mission.id, mission.tenant_id, 'executor', 'Execute', %(event)s, %(level)s::telemetry_level,
       jsonb_strip_nulls(%(context)s::jsonb) || jsonb_build_object(
           'mission_id', mission.id, 'tenantId', mission.tenant_id, 'stage', 'Execute',
           'correlation_id', %(mark)s::text),
       %(mark)s, now() - %(ago)s::interval - turn * interval '4 seconds'
  FROM (SELECT mission.id, mission.tenant_id, mission.priority,
               row_number() OVER (ORDER BY mission.id) AS place
          FROM missions AS mission
          JOIN mission_sessions AS session ON session.mission_id = mission.id
          JOIN tenants AS tenant ON tenant.id = mission.tenant_id
         WHERE session.state ? 'runner' AND mission.status = 'in_progress'
           AND (%(tenant)s::text IS NULL OR tenant.slug = %(tenant)s)
           AND (%(priorities)s::text[] IS NULL OR mission.priority = ANY(%(priorities)s))
       ) AS mission
 CROSS JOIN generate_series(0, %(turns)s - 1) AS turn
 WHERE mission.place > %(skip)s AND mission.place <= %(skip)s + %(missions)s
"""
_TENANTS: Final = """
SELECT DISTINCT tenant.slug
  FROM missions AS mission
  JOIN mission_sessions AS session ON session.mission_id = mission.id
  JOIN tenants AS tenant ON tenant.id = mission.tenant_id
 WHERE session.state ? 'runner' AND mission.status = 'in_progress'
 ORDER BY 1
"""
_FORGET: Final = """
WITH events AS (
    DELETE FROM telemetry_events WHERE correlation_id = ANY(%(plays)s::text[])
), calls AS (
    DELETE FROM composio_audit_events WHERE outcome ->> 'play_id' = ANY(%(plays)s::text[])
), stood AS (
    DELETE FROM mission_metadata
     WHERE metadata_key = 'gemini_parking'
    RETURNING mission_id, metadata_value AS was
), stages AS (
    UPDATE mission_stage_status AS stage
       SET status = (was ->> 'stage_status')::stage_progress_state,
           readiness_state = (was ->> 'stage_readiness')::readiness_state,
           blocking_reason = was ->> 'blocking_reason'
      FROM stood WHERE stage.mission_id = stood.mission_id AND stage.stage = 'Execute'
), missions AS (
    UPDATE missions AS mission
       SET status = (was ->> 'status')::mission_status,
           readiness = (was ->> 'readiness')::readiness_state
      FROM stood WHERE mission.id = stood.mission_id
)
UPDATE mission_sessions SET state = state - 'waiting_actions' WHERE state ? 'waiting_actions'
"""


def project(lab: LabState, **what: object) -> None:
    """Do at Google what the project's owner, its other callers or Google itself do."""
    with _gemini(lab) as client:
        answer = client.post(PROJECT, json=what)
        if answer.is_error:
            raise LabError(f"Gemini's emulator refused {sorted(what)}: {answer.text[:200]}")


def meet_refusals(lab: LabState) -> None:
    """Have the agent run three plays, and return when the model has refused each."""
    with superuser(lab) as connection:
        known = [*users(connection).items()][:3]
        since = first_value(connection, "SELECT clock_timestamp()")
        for play, (toolkit, mission) in zip(_PLAYS, known, strict=False):
            steps = [{"tool": TOOLKITS[toolkit].actions[-1], "arguments": {}} for _ in range(2)]
            agent_run(lab, {"mission_id": mission, "play_id": str(play), "steps": steps})
        plays = [str(play) for play in _PLAYS]
        until(
            lambda: first_value(connection, _REFUSED, plays=plays, since=since) >= len(known),
            within_s=_REFUSED_WITHIN_S,
            otherwise="The model did not refuse the agent's plays",
        )


def leave_refusals(
    lab: LabState,
    *,
    code: str = "RESOURCE_EXHAUSTED",
    http_status: int = 429,
    quota: str | None = None,
    model: str = USUAL,
    **where: Any,
) -> None:
    """Leave turns that a model refused, as agents write them."""
    context = {"error_code": code, "http_status": http_status, "quota_id": quota, "model": model}
    _leave(lab, event="model_call_error", level="error", context=context, **where)


def leave_turns(lab: LabState, *, tokens: int = 900, model: str = USUAL, **where: Any) -> None:
    """Leave turns that a model answered, each beside its tool call, as agents write them."""
    context = {
        "model": model,
        "prompt_tokens": tokens,
        "output_tokens": 40,
        "token_usage": tokens + 40,
        "outcome": "success",
    }
    _leave(lab, event="composio_tool_call", level="success", context=context, **where)


def live_tenants(lab: LabState) -> list[str]:
    """Return the tenants of live missions."""
    with superuser(lab) as connection:
        return [slug for (slug,) in connection.execute(_TENANTS.encode()).fetchall()]


def heal_gemini(lab: LabState) -> None:
    """Have the project be as it was agreed on, and forget what was refused."""
    with _gemini(lab) as client:
        client.delete(PROJECT).raise_for_status()
    with superuser(lab) as connection:
        plays = [MARK, *map(str, _PLAYS)]
        connection.execute(_FORGET.encode(), {"plays": plays})
    restore_live_sessions(lab, anew=restore_agent(lab))


def _leave(
    lab: LabState,
    *,
    event: str,
    level: str,
    context: dict[str, Any],
    missions: int = 3,
    turns: int = 1,
    skip: int = 0,
    ago: timedelta = timedelta(0),
    tenant: str | None = None,
    priorities: tuple[str, ...] | None = None,
) -> None:
    from psycopg.types.json import Jsonb

    values = {
        "event": event,
        "level": level,
        "context": Jsonb(context),
        "missions": missions,
        "turns": turns,
        "skip": skip,
        "ago": ago,
        "tenant": tenant,
        "priorities": [*priorities] if priorities else None,
        "mark": MARK,
    }
    with superuser(lab) as connection:
        if not connection.execute(_LEAVE.encode(), values).rowcount:
            raise LabError("No live mission makes such turns; heal the lab first.")


def _gemini(lab: LabState) -> httpx.Client:
    return httpx.Client(
        base_url=f"http://127.0.0.1:{lab.ports['gemini']}",
        timeout=5,
        trust_env=False,
        verify=NO_CERTIFICATES,
    )
