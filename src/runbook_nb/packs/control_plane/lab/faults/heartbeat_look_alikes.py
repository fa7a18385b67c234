"""What looks like a lost heartbeat, and is a pause, a closed tab, or a deploy that went well."""

from typing import Final

import httpx

from runbook_nb.errors import LabError
from runbook_nb.packs.control_plane.lab.faults.fault import Fault
from runbook_nb.packs.control_plane.lab.faults.heartbeat_streams import heal_edge
from runbook_nb.packs.control_plane.lab.faults.journal import row_fault
from runbook_nb.packs.control_plane.lab.faults.machines import (
    heal_machines,
    lose_one_of_three,
    restart_all,
)
from runbook_nb.packs.control_plane.lab.faults.shapes import LIVE
from runbook_nb.packs.control_plane.lab.inspection import NO_CERTIFICATES
from runbook_nb.packs.control_plane.lab.state import LabState

_WAITING: Final = """
update mission_sessions as session
   set status = 'active', last_heartbeat_at = now() - interval '40 minutes',
       updated_at = now() - interval '40 minutes'
  from missions as mission
 where mission.id = session.mission_id and session.agent_name = 'planner'
   and mission.status = 'blocked' and mission.current_stage = 'Approve'
"""
_REQUESTED: Final = """
update mission_approvals as approval
   set status = 'requested', decision_at = null, due_at = now() + interval '1 day'
  from missions as mission
 where mission.id = approval.mission_id
   and mission.status = 'blocked' and mission.current_stage = 'Approve'
"""
_CLOSED: Final = f"""
insert into workspace_stream_sessions
       (mission_id, tenant_id, session_id, stage, sampling_mode, connected_at, disconnected_at)
select id, tenant_id, 'tab-day-' || n, 'Execute', 'full',
       now() - interval '9 minutes', now() - n * interval '25 seconds'
  from {LIVE} where n in (1, 2, 5)
"""
_WATCHED: Final = f"""
insert into workspace_stream_sessions
       (mission_id, tenant_id, session_id, stage, sampling_mode, connected_at)
select id, tenant_id, 'tab-wall-' || n, 'Execute', 'full', now() - interval '5 hours'
  from {LIVE} where n in (3, 8)
"""
_ROUTES: Final = "/config/apps/http/servers/srv0/routes/0"


def fail_the_api(lab: LabState) -> None:
    """Have the edge answer every call of the API with 502, while the pages open."""
    refusal = {
        "match": [{"path": ["/api/*"]}],
        "handle": [{"handler": "static_response", "status_code": 502, "body": "Bad Gateway"}],
    }
    answer = httpx.put(
        f"http://127.0.0.1:{lab.ports['edge_admin']}{_ROUTES}",
        json=refusal,
        trust_env=False,
        verify=NO_CERTIFICATES,
    )
    if answer.is_error:
        raise LabError(f"The edge took no route: {answer.text}")


FAULTS: Final = (
    row_fault(
        "sessions_await_approval",
        "Missions wait for an approval that was asked for; their sessions are open and quiet",
        _WAITING,
        _REQUESTED,
        tables=["mission_sessions", "mission_approvals"],
    ),
    row_fault(
        "tabs_closed",
        "Three people closed their tabs at the end of the day; the missions go on",
        _CLOSED,
        tables=["workspace_stream_sessions"],
    ),
    row_fault(
        "streams_watched_long",
        "Two missions at work have been watched on a wall for five hours",
        _WATCHED,
        tables=["workspace_stream_sessions"],
    ),
    Fault(
        name="machine_lost",
        title="One machine of three was lost, and the others took its missions over",
        inject=lose_one_of_three,
        heal=heal_machines,
    ),
    Fault(
        name="agent_restarted",
        title="A deploy restarted the agent a moment ago, and every session resumed",
        inject=restart_all,
        heal=heal_machines,
    ),
    Fault(
        name="api_fails",
        title="The pages open, and every call of the API behind them ends in 502",
        inject=fail_the_api,
        heal=heal_edge,
    ),
)
