"""The hands for faults at Composio: the agent's plays, calls as it records them, parking."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import httpx

from runbook_nb.errors import LabError
from runbook_nb.packs.control_plane.lab.emulators.composio import PROVIDER
from runbook_nb.packs.control_plane.lab.emulators.composio_accounts import TOOLKITS
from runbook_nb.packs.control_plane.lab.emulators.composio_status import KEEPER
from runbook_nb.packs.control_plane.lab.faults.oauth_partner import begin_anew, composio
from runbook_nb.packs.control_plane.lab.faults.outside import (
    Connection,
    agent_run,
    first_value,
    lasting_id,
    restore_agent,
    restore_live_sessions,
    superuser,
    until,
)
from runbook_nb.packs.control_plane.lab.inspection import NO_CERTIFICATES
from runbook_nb.packs.control_plane.lab.outage import PATH as OUTAGE
from runbook_nb.packs.control_plane.lab.state import LabState

MARK = "composio-fault"
_PLAYS = [lasting_id(f"play of a fault at Composio {number}") for number in range(8)]
_ENDS_WITHIN_S = 15.0

# One live mission for each toolkit in use, with the calls of its play.
_USERS = """
SELECT DISTINCT ON (chosen.toolkit_slug)
       chosen.toolkit_slug, mission.id::text, mission.tenant_id::text
  FROM missions AS mission
  JOIN mission_sessions AS session ON session.mission_id = mission.id
  JOIN toolkit_selections AS chosen ON chosen.mission_id = mission.id
 WHERE session.state ? 'runner' AND mission.status = 'in_progress'
 ORDER BY chosen.toolkit_slug, mission.id
"""
_ENDED = """
SELECT count(*) FROM composio_audit_events
 WHERE outcome ->> 'play_id' = ANY(%(plays)s::text[]) AND occurred_at > %(since)s
"""
# What agents write of a call; of ``every`` so many one ends so, the newest among them.
_LEAVE = """
INSERT INTO composio_audit_events
       (mission_id, tenant_id, toolkit, action, status, outcome, latency_ms, error_code, retries,
        occurred_at)
SELECT mission.id, mission.tenant_id, chosen.toolkit_slug,
       coalesce(%(action)s, upper(chosen.toolkit_slug) || '_CALL'),
       CASE WHEN fails.so THEN %(status)s ELSE 'success' END,
       jsonb_build_object('successful', NOT fails.so, 'play_id', %(mark)s::text,
                          'http_status', %(http_status)s::int,
                          'retry_after_seconds', %(wait_s)s::int),
       CASE WHEN fails.so THEN %(latency_ms)s ELSE 600 END,
       CASE WHEN fails.so THEN %(code)s END,
       CASE WHEN fails.so THEN %(retries)s ELSE 0 END,
       now() - %(ago)s::interval - call * %(gap)s::interval
  FROM missions AS mission
  JOIN mission_sessions AS session ON session.mission_id = mission.id
  JOIN toolkit_selections AS chosen ON chosen.mission_id = mission.id
 CROSS JOIN generate_series(0, %(calls)s - 1) AS call
 CROSS JOIN LATERAL (SELECT call %% %(every)s = 0 AS so) AS fails
 WHERE session.state ? 'runner' AND mission.status = 'in_progress'
   AND (%(tenant)s::text IS NULL OR mission.tenant_id::text = %(tenant)s)
   AND (%(toolkit)s::text IS NULL OR chosen.toolkit_slug = %(toolkit)s)
   AND (%(mission)s::text IS NULL OR mission.id::text = %(mission)s)
"""
_FORGET = """
WITH calls AS (
    DELETE FROM composio_audit_events
     WHERE outcome ->> 'play_id' = ANY(%(plays)s::text[])
        OR outcome ->> 'witness' IS NOT NULL
), events AS (
    DELETE FROM telemetry_events WHERE correlation_id = ANY(%(plays)s::text[])
), stood AS (
    DELETE FROM mission_metadata
     WHERE metadata_key IN ('composio_parking', 'composio_resumed', 'composio_pace')
    RETURNING mission_id, metadata_key, metadata_value AS was
), stages AS (
    UPDATE mission_stage_status AS stage
       SET status = (was ->> 'stage_status')::stage_progress_state,
           readiness_state = (was ->> 'stage_readiness')::readiness_state,
           blocking_reason = was ->> 'blocking_reason'
      FROM stood
     WHERE stood.metadata_key = 'composio_parking'
       AND stage.mission_id = stood.mission_id AND stage.stage = 'Execute'
), missions AS (
    UPDATE missions AS mission
       SET status = (was ->> 'status')::mission_status,
           readiness = (was ->> 'readiness')::readiness_state
      FROM stood
     WHERE stood.metadata_key = 'composio_parking' AND mission.id = stood.mission_id
)
UPDATE mission_sessions SET state = state - 'waiting_actions' WHERE state ? 'waiting_actions'
"""
_AGE = """
WITH calls AS (
    UPDATE composio_audit_events SET occurred_at = occurred_at - %(by)s
     WHERE outcome ->> 'play_id' = ANY(%(plays)s::text[])
)
UPDATE telemetry_events SET created_at = created_at - %(by)s
 WHERE correlation_id = ANY(%(plays)s::text[])
"""
# What the on-call's action left behind in an earlier hour of the incident.
_PARK = """
WITH chosen AS (
    SELECT mission.id, mission.status, mission.readiness, stage.status AS stage_status,
           stage.readiness_state, stage.blocking_reason,
           row_number() OVER (ORDER BY stage.started_at, mission.id) AS place
      FROM missions AS mission
      JOIN mission_stage_status AS stage
        ON stage.mission_id = mission.id AND stage.stage = 'Execute'
      JOIN mission_sessions AS session ON session.mission_id = mission.id
     WHERE session.state ? 'runner' AND mission.status = 'in_progress'
), noted AS (
    INSERT INTO mission_metadata (mission_id, metadata_key, metadata_value, source_stage)
    SELECT id, 'composio_parking',
           jsonb_build_object('place', place, 'parked_at', now() - interval '20 minutes',
               'status', status, 'readiness', readiness, 'stage_status', stage_status,
               'stage_readiness', readiness_state, 'blocking_reason', blocking_reason), 'Execute'
      FROM chosen
), stages AS (
    UPDATE mission_stage_status AS stage
       SET status = 'blocked', readiness_state = 'degraded', blocking_reason = 'Composio is away'
      FROM chosen WHERE stage.mission_id = chosen.id AND stage.stage = 'Execute'
)
UPDATE missions AS mission SET status = 'blocked', readiness = 'degraded'
  FROM chosen WHERE mission.id = chosen.id
"""


def users(connection: Connection) -> dict[str, str]:
    """Return a live mission for each toolkit in use, by the toolkit."""
    found = connection.execute(_USERS.encode()).fetchall()
    if not found:
        raise LabError("No mission is live; heal the lab first.")
    return {toolkit: mission for toolkit, mission, _tenant in found}


def tenants(connection: Connection) -> list[str]:
    """Return the tenants of live missions."""
    return sorted({tenant for _, _, tenant in connection.execute(_USERS.encode()).fetchall()})


def run_plays(lab: LabState, calls: Mapping[str, int], *, ends_after: int = 3) -> None:
    """Have the agent run a play for each toolkit named, of so many calls, and wait for their end.

    A play ends with its last call, or at the third that fails: ``ends_after`` of each are recorded.
    """
    with superuser(lab) as connection:
        known = users(connection)
        since = first_value(connection, "SELECT clock_timestamp()")
        for play, (toolkit, count) in zip(_PLAYS, calls.items(), strict=False):
            tool = TOOLKITS[toolkit].actions[-1]
            steps = [
                {"tool": tool, "arguments": {"note": f"{toolkit} {number}"}}
                for number in range(count)
            ]
            body = {"mission_id": known[toolkit], "play_id": str(play), "steps": steps}
            agent_run(lab, body)
        plays = [str(play) for play in _PLAYS]
        until(
            lambda: (
                first_value(connection, _ENDED, plays=plays, since=since) >= ends_after * len(calls)
            ),
            within_s=_ENDS_WITHIN_S,
            otherwise="The agent's plays did not end",
        )


def leave_calls(
    lab: LabState,
    *,
    calls: int = 4,
    every: int = 1,
    status: str = "error",
    code: str | None = "HTTP_503",
    http_status: int = 503,
    wait_s: int | None = None,
    latency_ms: int = 240,
    retries: int = 0,
    ago: timedelta = timedelta(0),
    gap: timedelta = timedelta(seconds=4),
    tenant: str | None = None,
    toolkit: str | None = None,
    mission: str | None = None,
    action: str | None = None,
) -> None:
    """Leave calls of live missions as their agents record them."""
    values: dict[str, Any] = {
        "calls": calls,
        "every": every,
        "status": status,
        "code": code,
        "wait_s": wait_s,
        "http_status": http_status,
        "latency_ms": latency_ms,
        "retries": retries,
        "ago": ago,
        "gap": gap,
        "tenant": tenant,
        "toolkit": toolkit,
        "mission": mission,
        "mark": MARK,
        "action": action,
    }
    with superuser(lab) as connection:
        if not connection.execute(_LEAVE.encode(), values).rowcount:
            raise LabError("No live mission makes such calls; heal the lab first.")


def park_all(lab: LabState) -> None:
    """Leave all live missions as an earlier action has parked them."""
    with superuser(lab) as connection:
        connection.execute(_PARK.encode())


def let_time_pass(lab: LabState, *, by: timedelta) -> None:
    """Make the calls of the agent's plays older."""
    with superuser(lab) as connection:
        connection.execute(_AGE, {"by": by, "plays": [*map(str, _PLAYS)]})


def say_on_page(lab: LabState, standing: Mapping[str, str]) -> None:
    """Have the keeper of Composio's status page say how components stand."""
    with _page(lab) as client:
        client.post(KEEPER, json=dict(standing)).raise_for_status()


def forget_calls(lab: LabState, *, plays: Sequence[str] = ()) -> None:
    """Forget the calls that faults made, and let missions stand as they stood."""
    known = [MARK, *map(str, _PLAYS), *plays]
    with superuser(lab) as connection:
        connection.execute(_FORGET.encode(), {"plays": known})


def heal_partner(lab: LabState) -> None:
    """Have Composio and its page be well, and forget the calls; no mission was touched."""
    with composio(lab) as client:
        client.delete(OUTAGE).raise_for_status()
        client.delete(PROVIDER).raise_for_status()
    with _page(lab) as client:
        client.delete(KEEPER).raise_for_status()
    forget_calls(lab)


def heal_composio(lab: LabState) -> None:
    """Have Composio, its page, the agent and the missions be well; forget what was called."""
    begin_anew(lab)
    with _page(lab) as client:
        client.delete(KEEPER).raise_for_status()
    forget_calls(lab)
    restore_live_sessions(lab, anew=restore_agent(lab))


def _page(lab: LabState) -> httpx.Client:
    return httpx.Client(
        base_url=f"http://127.0.0.1:{lab.ports['composio_status']}",
        trust_env=False,
        verify=NO_CERTIFICATES,
    )
