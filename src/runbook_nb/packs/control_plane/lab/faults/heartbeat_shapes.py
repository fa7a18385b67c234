"""The faults of heartbeats in other shapes: young, on one machine, of one mission, of two kinds."""

import os
import signal
from datetime import timedelta
from pathlib import Path
from typing import Final

import httpx

from runbook_nb.errors import LabError
from runbook_nb.packs.control_plane.lab.faults.fault import Fault
from runbook_nb.packs.control_plane.lab.faults.heartbeat_agent import heal_agent, kill_agent
from runbook_nb.packs.control_plane.lab.faults.heartbeat_streams import heal_edge
from runbook_nb.packs.control_plane.lab.faults.journal import beside, row_fault
from runbook_nb.packs.control_plane.lab.faults.machines import (
    halt_one_of_three,
    heal_machines,
    release_to_one_of_three,
)
from runbook_nb.packs.control_plane.lab.faults.outside import (
    agents,
    is_halted,
    let_silence_pass,
    superuser,
    until,
    wait_for_agents_writes,
)
from runbook_nb.packs.control_plane.lab.faults.shapes import EVENTS, LIVE
from runbook_nb.packs.control_plane.lab.inspection import NO_CERTIFICATES
from runbook_nb.packs.control_plane.lab.state import LabState

_YOUNG: Final = timedelta(seconds=72)
_LONG: Final = timedelta(minutes=40)
_PROXY: Final = "/config/apps/http/servers/srv0/routes/0/handle/0/response_buffers"
_STREAMS: Final = "workspace_stream_sessions"
_SESSIONS: Final = "mission_sessions"
_OF_LIVE: Final = f"(select id from {LIVE} where n = {{}})"


def _hang(lab: LabState, *, silent: timedelta) -> None:
    for agent in agents(lab):
        os.kill(agent.pid, signal.SIGSTOP)
    until(lambda: all(map(is_halted, agents(lab))), within_s=2, otherwise="The agent did not halt")
    with superuser(lab) as connection:
        wait_for_agents_writes(connection)
        let_silence_pass(connection, by=silent)


def _kill_long_ago(lab: LabState) -> None:
    kill_agent(lab)
    with superuser(lab) as connection:
        let_silence_pass(connection, by=_LONG)


def _buffer(lab: LabState, *, size: int) -> None:
    with httpx.Client(
        base_url=f"http://127.0.0.1:{lab.ports['edge_admin']}",
        trust_env=False,
        verify=NO_CERTIFICATES,
    ) as admin:
        path = Path(_PROXY)
        proxy = admin.get(str(path.parent)).json()
        answer = admin.patch(str(path.parent), json={**proxy, path.name: size})
        if answer.is_error:
            raise LabError(f"The edge refused to buffer: {answer.text}")


def _forgotten(missions: int, *, since: str) -> tuple[str, str]:
    """Return what leaves sessions of the newest finished missions active, and a stream of each."""
    ended = f"""
        select id from missions
         where status = 'completed' and completed_at < now() - interval '2 hours'
         order by completed_at desc, id limit {missions}
    """
    return (
        f"""
        update mission_sessions
           set status = 'active', last_heartbeat_at = now() - interval '{since}'
         where agent_name = 'executor' and mission_id in ({ended})
        """,
        f"""
        insert into workspace_stream_sessions
               (mission_id, tenant_id, session_id, stage, sampling_mode, connected_at)
        select id, tenant_id, 'tab-' || left(id::text, 8), 'Execute', 'full',
               now() - interval '{since}' - interval '70 minutes'
          from missions where id in ({ended})
        """,
    )


def _opens(mission: int, *, session: str, opens: int, every: str, lasting: str) -> str:
    """Return what has one session open its stream again and again until now."""
    return f"""
    insert into workspace_stream_sessions
           (mission_id, tenant_id, session_id, stage, sampling_mode, connected_at, disconnected_at)
    select id, tenant_id, '{session}', 'Execute', 'full',
           now() - number * interval '{every}' - interval '{lasting}',
           now() - number * interval '{every}'
      from {LIVE}, generate_series(0, {opens - 1}) as number
     where n = {mission}
    """


def _beats(change: str, *, which: str, spare: int = 0) -> str:
    """Return what changes the beats of a quarter of an hour; of ``spare`` beats only one."""
    some = f"and extract(epoch from created_at)::bigint % {spare} = 0" if spare else ""
    return f"""
    update telemetry_events set context = context || jsonb_build_object('lag_ms', {change})
     where event_type = 'session_heartbeat' and agent_name is not null
       and created_at > now() - interval '15 minutes' {some}
       and mission_id in (select id from {LIVE} where {which})
    """


_STORM: Final = row_fault(
    "tab_storms",
    "A tab opens its stream every 6 s for four minutes",
    _opens(8, session="tab-storming", opens=40, every="6 s", lasting="4 s"),
    tables=[_STREAMS],
)
_HUNG: Final = Fault(
    name="agent_halted",
    title="The agent is halted for three minutes",
    inject=lambda lab: _hang(lab, silent=timedelta(minutes=3)),
    heal=heal_agent,
)

FAULTS: Final = (
    Fault(
        name="agent_hung.young",
        title="The agent is halted for little more than a minute",
        inject=lambda lab: _hang(lab, silent=_YOUNG),
        heal=heal_agent,
    ),
    Fault(
        name="agent_hung.one_of_three",
        title="One machine of three is halted; its missions are silent",
        inject=halt_one_of_three,
        heal=heal_machines,
    ),
    beside("agent_hung.beside_storm", "The agent is halted, and a tab reconnects", _HUNG, _STORM),
    Fault(
        name="agent_dead.long_ago",
        title="The agent is gone for more than forty minutes",
        inject=_kill_long_ago,
        heal=heal_agent,
    ),
    row_fault(
        "loop_blocked.one_mission",
        "The beats of one mission come nine seconds late",
        _beats("9000", which="n = 3"),
        tables=[EVENTS],
    ),
    row_fault(
        "loop_blocked.slow",
        "All beats come six and a half seconds late",
        _beats("6500", which="true"),
        tables=[EVENTS],
    ),
    Fault(
        name="edge_buffers.small",
        title="The edge buffers a few kilobytes, in which minutes of a stream fit",
        inject=lambda lab: _buffer(lab, size=1 << 16),
        heal=heal_edge,
    ),
    row_fault(
        "sessions_silent.one",
        "One session of an ended mission was left active for half an hour",
        *_forgotten(1, since="30 minutes"),
        tables=[_SESSIONS, _STREAMS],
    ),
    row_fault(
        "sessions_silent.many_for_hours",
        "Twenty sessions of ended missions were left active for hours",
        *_forgotten(20, since="9 hours"),
        tables=[_SESSIONS, _STREAMS],
    ),
    row_fault(
        "sessions_silent.streams_alone",
        "The streams of three ended missions were left open; their sessions ended",
        _forgotten(3, since="2 hours")[1],
        tables=[_STREAMS],
    ),
    row_fault(
        "reconnect_storm.ten_a_minute",
        "A tab opens its stream ten times a minute for four minutes",
        _opens(8, session="tab-storming", opens=40, every="6 s", lasting="4 s"),
        tables=[_STREAMS],
    ),
    row_fault(
        "reconnect_storm.young",
        "A tab opens its stream every two seconds for twenty seconds",
        _opens(2, session="tab-storming", opens=10, every="2 s", lasting="1 s"),
        tables=[_STREAMS],
    ),
    row_fault(
        "reconnect_storm.two_tabs",
        "Two tabs of two tenants open their streams every five seconds",
        _opens(2, session="tab-first", opens=24, every="5 s", lasting="3 s"),
        _opens(7, session="tab-second", opens=24, every="5 s", lasting="3 s"),
        tables=[_STREAMS],
    ),
    Fault(
        name="lag_decimal.one_of_three",
        title="The bad release that writes decimals runs on one machine of three",
        inject=release_to_one_of_three,
        heal=heal_machines,
    ),
    row_fault(
        "lag_decimal.one_mission",
        "The beats of one mission carry a lag with decimals",
        _beats("412.7", which="n = 6"),
        tables=[EVENTS],
    ),
)
