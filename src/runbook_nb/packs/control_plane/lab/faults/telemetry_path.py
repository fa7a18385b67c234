"""Faults on the way of an event: triggers that take it, a right that is gone, a purge."""

from typing import Any, Final

import httpx

from runbook_nb.errors import LabError
from runbook_nb.packs.control_plane.lab.faults.fault import Fault
from runbook_nb.packs.control_plane.lab.faults.outside import (
    Connection,
    await_beats,
    first_value,
    now_of,
    restore_agent,
    restore_live_sessions,
    superuser,
    until,
)
from runbook_nb.packs.control_plane.lab.faults.response_told import forget_what_was_told
from runbook_nb.packs.control_plane.lab.inspection import NO_CERTIFICATES
from runbook_nb.packs.control_plane.lab.state import LabState

_MARK: Final = "telemetry-fault"
_WITHIN_S: Final = 8.0
# Nobody waits until a silence is long enough to be seen: what came before is some beats older.
_AGE: Final = """
UPDATE telemetry_events SET created_at = created_at - interval '6 seconds'
 WHERE mission_id IS NOT NULL AND created_at > now() - interval '1 minute' AND {which}
"""
_ASIDE: Final = """
CREATE SCHEMA IF NOT EXISTS aside_path;
CREATE TABLE IF NOT EXISTS aside_path.telemetry_events (LIKE public.telemetry_events);
"""
_MOVE_ASIDE: Final = """
WITH moved AS (
    DELETE FROM public.telemetry_events
     WHERE created_at > now() - interval '20 minutes' AND mission_id IS NOT NULL
    RETURNING *
)
INSERT INTO aside_path.telemetry_events SELECT * FROM moved
"""
_TAKE_AFTER: Final = """
CREATE OR REPLACE FUNCTION aside_path.archive() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER AS $$
BEGIN
    DELETE FROM public.telemetry_events WHERE id = NEW.id;
    RETURN NULL;
END $$;
DROP TRIGGER IF EXISTS archive_events ON public.telemetry_events;
"""
_TAKE_BEFORE: Final = """
CREATE OR REPLACE FUNCTION aside_path.sample() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.event_type <> 'workspace_stream_open' THEN
        RETURN NULL;
    END IF;
    RETURN NEW;
END $$;
DROP TRIGGER IF EXISTS archive_events ON public.telemetry_events;
CREATE TRIGGER archive_events BEFORE INSERT ON public.telemetry_events
   FOR EACH ROW WHEN (NEW.mission_id IS NOT NULL) EXECUTE FUNCTION aside_path.sample();
"""
_ON: Final = """
CREATE TRIGGER archive_events AFTER INSERT ON public.telemetry_events
   FOR EACH ROW WHEN ({which}) EXECUTE FUNCTION aside_path.archive();
"""
_PUT_BACK: Final = """
DROP TRIGGER IF EXISTS archive_events ON public.telemetry_events;
DELETE FROM public.telemetry_events AS event
 USING composio_audit_events AS call
 WHERE call.outcome ->> 'log_id' = 'telemetry-fault'
   AND event.context ->> 'source_id' = call.id::text;
DELETE FROM composio_audit_events WHERE outcome ->> 'log_id' = 'telemetry-fault';
INSERT INTO public.telemetry_events
SELECT event.* FROM aside_path.telemetry_events AS event
 WHERE EXISTS (SELECT FROM public.missions WHERE id = event.mission_id)
ON CONFLICT (id) DO NOTHING;
DROP SCHEMA aside_path CASCADE;
"""
# The missions go on: their calls are made, and Composio's audit says so.
_CALLS: Final = """
INSERT INTO composio_audit_events
       (mission_id, tenant_id, toolkit, action, status, outcome, latency_ms, occurred_at)
SELECT live.id, live.tenant_id, 'github', 'GITHUB_LIST_ISSUES', 'success',
       jsonb_build_object('successful', true, 'log_id', %(mark)s::text), 480,
       now() - interval '2 minutes' - call * interval '3 minutes'
  FROM (SELECT mission.id, mission.tenant_id
          FROM missions AS mission
          JOIN mission_sessions AS session ON session.mission_id = mission.id
         WHERE session.state ? 'runner' AND mission.status = 'in_progress') AS live,
       generate_series(0, 4) AS call
"""
_UNSEEN: Final = """
SELECT count(*)
  FROM mission_sessions AS session
 WHERE session.state ? 'runner' AND session.status = 'active'
   AND coalesce((SELECT max(created_at) FROM telemetry_events AS event
                  WHERE event.mission_id = session.mission_id
                    AND event.agent_name = session.agent_name), '-infinity')
       < session.last_heartbeat_at - interval '3.5 seconds'
"""
_BIGGEST: Final = """
SELECT mission.tenant_id::text
  FROM missions AS mission
  JOIN mission_sessions AS session ON session.mission_id = mission.id
 WHERE session.state ? 'runner' AND mission.status = 'in_progress'
 GROUP BY mission.tenant_id ORDER BY count(*) DESC, 1 LIMIT 1
"""
_PURGE: Final = """
CREATE OR REPLACE FUNCTION cleanup_telemetry_events() RETURNS void LANGUAGE plpgsql AS $$
begin
    delete from telemetry_events where created_at < now() - interval '{days} days';

    delete from composio_audit_events where occurred_at < now() - interval '180 days';

    delete from workspace_stream_sessions
    where disconnected_at is not null and disconnected_at < now() - interval '90 days';

    delete from undo_events where occurred_at < now() - interval '365 days';
end;
$$
"""
_REVOKE: Final = "REVOKE INSERT ON telemetry_events FROM service_role"
_GRANT: Final = "GRANT INSERT ON telemetry_events TO service_role"


def _take(
    lab: LabState, *, which: str = "NEW.mission_id IS NOT NULL", before: bool = False
) -> None:
    """Take events away as they come, and wait until missions go on unseen."""
    with superuser(lab) as connection:
        tenant = first_value(connection, _BIGGEST)
        with connection.transaction():
            connection.execute(_ASIDE)
            if before:
                connection.execute(_TAKE_BEFORE)
            else:
                connection.execute(_TAKE_AFTER)
                connection.execute(_ON.format(which=which.format(tenant=tenant)).encode())
            passed = which.format(tenant=tenant).replace("NEW.", "")
            connection.execute(_AGE.format(which=passed).encode())
        _await_unseen(connection)


def take_events(lab: LabState) -> None:
    """Have a trigger delete each event of a mission; the last event is 20 minutes old."""
    with superuser(lab) as connection, connection.transaction():
        connection.execute(_ASIDE)
        connection.execute(_TAKE_AFTER)
        connection.execute(_ON.format(which="NEW.mission_id IS NOT NULL").encode())
        connection.execute(_MOVE_ASIDE)
        connection.execute(_CALLS, {"mark": _MARK})


def take_young(lab: LabState) -> None:
    """Have a trigger delete each event since a moment ago."""
    _take(lab)


def take_of_one_tenant(lab: LabState) -> None:
    """Have a trigger delete the events of one tenant."""
    _take(lab, which="NEW.tenant_id = '{tenant}'")


def take_before(lab: LabState) -> None:
    """Have a trigger drop most events before they are written: nothing is deleted."""
    _take(lab, before=True)


def heal_path(lab: LabState) -> None:
    """Let events be stored again, give the right back, and put back what was set aside."""
    with superuser(lab) as connection:
        connection.execute(_GRANT)
        if first_value(connection, "SELECT to_regnamespace('aside_path') IS NOT NULL"):
            with connection.transaction():
                connection.execute(_PUT_BACK)
    store_held(lab)
    forget_what_was_told(lab)
    # Beats are counted since an agent claimed its sessions: of the silence none is left to count.
    restore_live_sessions(lab, anew=restore_agent(lab, restart=True))


def refuse_inserts(lab: LabState) -> None:
    """Take the right to insert events from the role that agent and ui write by."""
    with superuser(lab) as connection:
        connection.execute(_REVOKE)
        # Each session has an event that is held by then, so that storing them shows all again.
        await_beats(connection, since=now_of(connection))
        if not agent_buffer(lab)["degraded"]:
            raise LabError("The agent still stores its events")
        let_pass(connection)
        _await_unseen(connection)


def reach_further(lab: LabState, *, days: int = 150) -> None:
    """Have the purge keep fewer days than the retention; no event of the lab is so old."""
    with superuser(lab) as connection:
        connection.execute(_PURGE.format(days=days).encode())


def heal_purge(lab: LabState) -> None:
    """Give the purge its reach again."""
    with superuser(lab) as connection:
        connection.execute(_PURGE.format(days=180).encode())


def let_pass(connection: Connection) -> None:
    """Make the newest events some beats older, so that a silence after them is seen."""
    connection.execute(_AGE.format(which="true").encode())


def agent_buffer(lab: LabState) -> dict[str, Any]:
    """Return what the agent says of the events that it holds."""
    found: dict[str, Any] = _ask_agent(lab, "GET", "/telemetry/buffer").json()
    return found


def store_held(lab: LabState) -> None:
    """Have the agent store the events that it holds, and hold nothing back."""
    answer = _ask_agent(lab, "POST", "/telemetry/flush")
    if answer.is_error:
        raise LabError(f"The agent still holds its events: {answer.text[:200]}")


def _ask_agent(lab: LabState, method: str, path: str) -> httpx.Response:
    url = f"http://127.0.0.1:{lab.ports['agent']}{path}"
    try:
        return httpx.request(method, url, trust_env=False, verify=NO_CERTIFICATES)
    except httpx.HTTPError as error:
        raise LabError(f"The agent does not answer: {error}") from error


def unseen(connection: Connection) -> Any:
    """Count live sessions that beat while their events are missing."""
    return first_value(connection, _UNSEEN)


def _await_unseen(connection: Connection) -> None:
    until(
        lambda: unseen(connection) > 0,
        within_s=_WITHIN_S,
        otherwise="All live missions are still seen",
    )


FAULTS = (
    Fault(
        name="events_taken",
        title="A trigger deletes each event as it is stored; the last one is 20 minutes old",
        inject=take_events,
        heal=heal_path,
    ),
    Fault(
        name="events_taken.young",
        title="A trigger deletes each event since a moment ago",
        inject=take_young,
        heal=heal_path,
    ),
    Fault(
        name="events_taken.one_tenant",
        title="A trigger deletes the events of one tenant",
        inject=take_of_one_tenant,
        heal=heal_path,
    ),
    Fault(
        name="events_taken.before",
        title="A trigger drops most events before they are written",
        inject=take_before,
        heal=heal_path,
    ),
    Fault(
        name="inserts_refused",
        title="The right to insert events was taken from the role that writes them",
        inject=refuse_inserts,
        heal=heal_path,
    ),
    Fault(
        name="purge_reaches",
        title="The purge keeps 150 days of events and not 180",
        inject=reach_further,
        heal=heal_purge,
    ),
)
