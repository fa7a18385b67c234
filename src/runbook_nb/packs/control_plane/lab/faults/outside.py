"""The hands that faults are injected and healed with: the superuser, Fly, and the passing of time.

A live session is one that an agent has run: its state names a runner.
"""

import hashlib
import http.client
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import psycopg

from runbook_nb.errors import LabError
from runbook_nb.packs.control_plane.lab.fly import APP, release_config
from runbook_nb.packs.control_plane.lab.inspection import NO_CERTIFICATES, is_healthy
from runbook_nb.packs.control_plane.lab.state import LabState
from runbook_nb.timeline.store.embedded.files import read_secret
from runbook_nb.timeline.store.embedded.processes import ProcessIdentity, wait_until

Connection = psycopg.Connection[tuple[Any, ...]]

_ANSWER_WITHIN_S = 20.0
_BEATS_WITHIN_S = 10.0
# A session whose last beat is at most so many intervals old has missed none.
_STILL_BEATS = 1.5
# No check looks further back; older rows are left as they are.
_SEEN = timedelta(minutes=20)

_AGE_BEATS = """
UPDATE telemetry_events AS event
   SET created_at = event.created_at - %(by)s
  FROM mission_sessions AS session
 WHERE session.state ? 'runner'
   AND event.mission_id = session.mission_id
   AND event.agent_name = session.agent_name
   AND event.event_type IN ('session_heartbeat', 'error_recovery_triggered')
   AND event.created_at > now() - %(seen)s
   AND event.created_at < %(before)s
"""

_AGE_SESSIONS = """
UPDATE mission_sessions
   SET last_heartbeat_at = last_heartbeat_at - %(by)s,
       updated_at = updated_at - %(by)s
 WHERE state ? 'runner'
"""

_RESUME_SESSIONS = """
UPDATE mission_sessions
   SET status = 'active'
 WHERE state ? 'runner' AND status <> 'active'
"""

_RESUME_MISSIONS = """
UPDATE missions AS mission
   SET status = 'in_progress', current_stage = 'Execute'
  FROM mission_sessions AS session
 WHERE session.mission_id = mission.id
   AND session.state ? 'runner'
   AND (mission.status, mission.current_stage) IS DISTINCT FROM ('in_progress', 'Execute')
"""

_SILENT = """
SELECT count(*)
  FROM mission_sessions
 WHERE state ? 'runner'
   AND (status <> 'active' OR last_heartbeat_at < %(since)s)
"""

_AGENTS_AT_WORK = """
SELECT count(*)
  FROM pg_stat_activity
 WHERE application_name LIKE 'agent-%%' AND (state <> 'idle' OR %(gone)s)
"""


def lasting_id(name: str) -> UUID:
    """Return an id that looks drawn at random and is the same each time, so that heal knows it."""
    return UUID(bytes=hashlib.sha256(name.encode()).digest()[:16], version=4)


@contextmanager
def superuser(lab: LabState) -> Iterator[Connection]:
    """Connect as the superuser, autocommitting; LabError when the database is away."""
    try:
        with psycopg.connect(read_secret(lab.folder, "postgres.dsn"), autocommit=True) as found:
            yield found
    except psycopg.OperationalError as error:
        raise LabError(f"The lab's database cannot be used: {error}") from error


def first_value(connection: Connection, statement: str, **parameters: object) -> Any:
    """Return the only value that a query of one row and one column gives."""
    row = connection.execute(statement.encode(), parameters).fetchone()
    return None if row is None else row[0]


def now_of(connection: Connection) -> datetime:
    """Return the database's own time, which its rows are stamped with."""
    now: datetime = first_value(connection, "SELECT clock_timestamp()")
    return now


def until(condition: Callable[[], bool], *, within_s: float, otherwise: str) -> None:
    """Wait for a condition; LabError says ``otherwise`` when it does not come true in time."""
    if not wait_until(condition, within_s=within_s):
        raise LabError(f"{otherwise} within {within_s:g} s.")


def agents(lab: LabState) -> list[ProcessIdentity]:
    """List the agent processes that run, halted ones included."""
    recorded = []
    for file in (lab.folder / "agents").glob("*.json"):
        try:
            content = json.loads(file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            continue
        recorded.append(ProcessIdentity(pid=content["pid"], started=content["started"]))
    return [identity for identity in recorded if identity.alive]


def is_halted(identity: ProcessIdentity) -> bool:
    """Tell whether a process is stopped by a signal."""
    try:
        status = Path(f"/proc/{identity.pid}/stat").read_text(encoding="utf-8")
    except FileNotFoundError:
        return False
    return status.rpartition(")")[2].split()[0] in {"T", "t"}


def age_beats(connection: Connection, *, by: timedelta, before: datetime | None = None) -> None:
    """Make the recent beats and recoveries of live sessions older, those sent ``before``."""
    parameters = {"by": by, "seen": _SEEN, "before": before or "infinity"}
    connection.execute(_AGE_BEATS, parameters)


def let_silence_pass(connection: Connection, *, by: timedelta) -> None:
    """Make it so that live sessions have last beaten ``by`` earlier than they did."""
    with connection.transaction():
        # Else the trigger would stamp the rows as changed just now.
        connection.execute("SET LOCAL session_replication_role = replica")
        age_beats(connection, by=by)
        connection.execute(_AGE_SESSIONS, {"by": by})


def wait_for_agents_writes(connection: Connection, *, gone: bool = False) -> None:
    """Wait until the database has done what agents sent; with ``gone``, until it let them go."""
    until(
        lambda: first_value(connection, _AGENTS_AT_WORK, gone=gone) == 0,
        within_s=2,
        otherwise="The database still works for an agent",
    )


@contextmanager
def fly(lab: LabState) -> Iterator[httpx.Client]:
    """Open the Machines API of the agent's app."""
    token = read_secret(lab.folder, "fly.token")
    with httpx.Client(
        base_url=f"http://127.0.0.1:{lab.ports['fly']}/v1/apps/{APP}",
        headers={"authorization": f"Bearer {token}"},
        timeout=_ANSWER_WITHIN_S,
        trust_env=False,
        verify=NO_CERTIFICATES,
        event_hooks={"response": [_refuse_failure]},
    ) as client:
        yield client


def release(lab: LabState) -> dict[str, Any]:
    """Return the machine configuration of the good release."""
    return release_config(dict(lab.ports), interval_s=lab.heartbeat_interval_s)


def restore_agent(lab: LabState, *, restart: bool = False) -> bool:
    """Have one machine with the good release run and answer; with ``restart`` in any case anew.

    Tells whether the agent was changed for that.
    """
    changed = True
    with fly(lab) as api:
        first, *others = api.get("/machines").json() or [None]
        for machine in others:
            api.delete(f"/machines/{machine['id']}", params={"force": "true"})
        if first is None:
            api.post("/machines", json={"name": "agent-1", "config": release(lab)})
        elif first["config"] != release(lab):
            api.post(f"/machines/{first['id']}", json={"config": release(lab)})
        elif restart or not is_healthy(lab.ports["agent"]):
            api.post(f"/machines/{first['id']}/restart")
        else:
            changed = bool(others)
        if not is_healthy(lab.ports["agent"]):
            _replace_machines(lab, api)
            return True
    return changed


def restore_live_sessions(lab: LabState, *, anew: bool) -> None:
    """Make all live sessions active, and return when each beats.

    A last beat from before counts where nothing was changed; with ``anew`` the agent was.
    """
    with superuser(lab) as connection:
        resumed = connection.execute(_RESUME_MISSIONS).rowcount
        resumed += connection.execute(_RESUME_SESSIONS).rowcount
        since = now_of(connection)
        if not (anew or resumed):
            since -= timedelta(seconds=_STILL_BEATS * lab.heartbeat_interval_s)
        await_beats(connection, since=since)


def await_beats(connection: Connection, *, since: datetime) -> None:
    """Return when every live session has beaten since then."""
    until(
        lambda: first_value(connection, _SILENT, since=since) == 0,
        within_s=_BEATS_WITHIN_S,
        otherwise="Not all live sessions of the lab beat again",
    )


def _replace_machines(lab: LabState, api: httpx.Client) -> None:
    """Make the agent anew: what is left of it does not listen where it should."""
    for machine in api.get("/machines").json():
        api.delete(f"/machines/{machine['id']}", params={"force": "true"})
    api.post("/machines", json={"name": "agent-1", "config": release(lab)})
    if not is_healthy(lab.ports["agent"]):
        raise LabError("The lab's agent does not answer, even made anew.")


def _refuse_failure(answer: httpx.Response) -> None:
    if answer.is_error:
        answer.read()
        asked = f"{answer.request.method} {answer.request.url.path}"
        raise LabError(f"{asked} answered {answer.status_code}: {answer.text[:200]}")


def agent_run(lab: LabState, body: dict[str, Any]) -> None:
    """Ask the agent for a run and return once it has begun; the run goes on without us."""
    connection = http.client.HTTPConnection("127.0.0.1", lab.ports["agent"], timeout=5)
    try:
        connection.request(
            "POST",
            "/execution/run",
            body=json.dumps(body),
            headers={"authorization": "Bearer a-client-of-the-agent"},
        )
        said = connection.getresponse().readline()
    except (OSError, http.client.HTTPException) as error:
        raise LabError(f"The agent did not take the run: {error!r}") from error
    finally:
        connection.close()
    if b"execution_started" not in said:
        raise LabError(f"The agent did not begin the run: {said!r}")
