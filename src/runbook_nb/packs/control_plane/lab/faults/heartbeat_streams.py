"""Heartbeat faults between the ui and the browser: a buffering edge, a storm of reconnects."""

import json
import secrets
from dataclasses import asdict
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx

from runbook_nb.errors import LabError
from runbook_nb.packs.control_plane.lab.edge_config import default_config
from runbook_nb.packs.control_plane.lab.faults.outside import (
    Connection,
    first_value,
    restore_agent,
    restore_live_sessions,
    superuser,
    until,
)
from runbook_nb.packs.control_plane.lab.inspection import NO_CERTIFICATES
from runbook_nb.packs.control_plane.lab.state import LabState
from runbook_nb.timeline.store.embedded.files import write_whole
from runbook_nb.timeline.store.embedded.processes import (
    ProcessIdentity,
    end,
    python_command,
    start_detached,
)

_PROXY = "/config/apps/http/servers/srv0/routes/0/handle/0"
# Some minutes of a stream fit in.
_BUFFER_BYTES = 1 << 20
_STORM_EVERY_S = 0.2
_STORM_OPENS = 3
_END_WITHIN_S = 1.0

_LIVE_MISSION = """
SELECT mission_id FROM mission_sessions
 WHERE state ? 'runner' AND status = 'active' ORDER BY mission_id DESC LIMIT 1
"""
_OPENED = "SELECT count(*) FROM workspace_stream_sessions WHERE session_id = %(session)s"
_OPEN = _OPENED + " AND disconnected_at IS NULL"
_FORGET = """
WITH streams AS (
    DELETE FROM workspace_stream_sessions WHERE session_id = %(session)s RETURNING id
)
DELETE FROM telemetry_events
 WHERE mission_id = %(mission)s AND correlation_id IN (SELECT id::text FROM streams)
"""


def buffer_edge(lab: LabState) -> None:
    """Have the edge collect a megabyte of an answer before it sends anything of it."""
    with httpx.Client(
        base_url=_url(lab, "edge_admin"), trust_env=False, verify=NO_CERTIFICATES
    ) as admin:
        proxy = _read(admin.get(_PROXY))
        changed = admin.patch(_PROXY, json={**proxy, "response_buffers": _BUFFER_BYTES})
        if changed.is_error:
            raise LabError(f"The edge refused to buffer: {changed.text}")
    if _streams(lab):
        raise LabError("The edge buffers, and yet a stream came through.")


def heal_edge(lab: LabState) -> None:
    """Give the edge the configuration that it starts with."""
    config = default_config(listen=lab.ports["edge"], upstream=lab.ports["ui"])
    with httpx.Client(
        base_url=_url(lab, "edge_admin"), trust_env=False, verify=NO_CERTIFICATES
    ) as admin:
        loaded = admin.post("/load", json=config)
        if loaded.is_error:
            raise LabError(f"The edge refused its first configuration: {loaded.text}")
    restore_live_sessions(lab, anew=restore_agent(lab))


def start_storm(lab: LabState) -> None:
    """Open a tab, as a process of its own, that connects to a live mission every 0.2 s."""
    session = f"tab-{secrets.token_hex(4)}"
    with superuser(lab) as connection:
        mission = _live_mission(connection)
        process = start_detached(
            python_command(
                "runbook_nb.packs.control_plane.lab.browsers",
                *("--edge", _url(lab, "edge"), "--mission", str(mission), "--session", session),
                *("--every", f"{_STORM_EVERY_S:g}"),
                *("--services", f"{lab.services.pid}:{lab.services.started}"),
            ),
            log=lab.folder / f"{session}.log",
        )
        _tabs(lab).mkdir(exist_ok=True)
        about = {**asdict(process), "session": session, "mission": str(mission)}
        write_whole(_tabs(lab) / f"{session}.json", json.dumps(about))
        until(
            lambda: first_value(connection, _OPENED, session=session) >= _STORM_OPENS,
            within_s=10,
            otherwise="The tab did not connect again and again",
        )


def heal_storm(lab: LabState) -> None:
    """Close the tab, forget its streams, and give the edge its first configuration."""
    tabs = {
        file: json.loads(file.read_text(encoding="utf-8")) for file in _tabs(lab).glob("*.json")
    }
    for tab in tabs.values():
        end(ProcessIdentity(pid=tab["pid"], started=tab["started"]), grace_s=_END_WITHIN_S)
    # Healing takes a beat, in which the ui writes of the last stream that it opened and ended.
    heal_edge(lab)
    for file, tab in tabs.items():
        _forget(lab, session=tab["session"], mission=UUID(tab["mission"]))
        file.unlink()
        (lab.folder / f"{tab['session']}.log").unlink(missing_ok=True)


def _tabs(lab: LabState) -> Path:
    return lab.folder / "tabs"


def _streams(lab: LabState) -> bool:
    """Tell whether a stream through the edge brings anything within one and a half beats."""
    session = f"tab-{secrets.token_hex(4)}"
    with superuser(lab) as connection:
        mission = _live_mission(connection)
        try:
            with httpx.stream(
                "GET",
                f"{_url(lab, 'edge')}/api/stream/execution",
                params={"mission_id": str(mission), "session_id": session},
                timeout=1.5 * lab.heartbeat_interval_s,
                trust_env=False,
                verify=NO_CERTIFICATES,
            ) as answer:
                return bool(next(answer.iter_raw(), b""))
        except httpx.ReadTimeout:
            return False
        finally:
            _forget(lab, session=session, mission=mission)


def _forget(lab: LabState, *, session: str, mission: UUID) -> None:
    """Delete what the ui wrote of a session's streams, once it has written that they ended."""
    with superuser(lab) as connection:
        until(
            lambda: first_value(connection, _OPEN, session=session) == 0,
            within_s=5,
            otherwise="The ui did not see a browser leave",
        )
        connection.execute(_FORGET, {"session": session, "mission": mission})


def _live_mission(connection: Connection) -> UUID:
    mission: UUID | None = first_value(connection, _LIVE_MISSION)
    if mission is None:
        raise LabError("No live session is active; heal the lab first.")
    return mission


def _read(answer: httpx.Response) -> dict[str, Any]:
    found = answer.json()
    if answer.is_error or not isinstance(found, dict):
        raise LabError(f"The edge has no proxy where it should be: {answer.text}")
    return found


def _url(lab: LabState, name: str) -> str:
    return f"http://127.0.0.1:{lab.ports[name]}"
