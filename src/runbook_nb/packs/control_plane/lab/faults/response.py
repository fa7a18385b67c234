"""Faults that the general protocol answers: five with another right hand-over each, one without."""

from runbook_nb.errors import LabError
from runbook_nb.packs.control_plane.lab.faults.fault import Fault
from runbook_nb.packs.control_plane.lab.faults.heartbeat_agent import heal_agent, kill_agent
from runbook_nb.packs.control_plane.lab.faults.outside import first_value, superuser
from runbook_nb.packs.control_plane.lab.faults.response_rows import (
    burst_and_end,
    expire_login,
    heal_calls,
    heal_events,
    leave_incident_open,
    storm_limits,
)
from runbook_nb.packs.control_plane.lab.faults.response_told import forget_what_was_told
from runbook_nb.packs.control_plane.lab.state import LabState

_ASIDE = """
CREATE SCHEMA IF NOT EXISTS aside;
CREATE TABLE IF NOT EXISTS aside.telemetry_events (LIKE public.telemetry_events);
"""
_MOVE_ASIDE = """
WITH moved AS (
    DELETE FROM public.telemetry_events
     WHERE created_at > now() - interval '20 minutes'
    RETURNING *
)
INSERT INTO aside.telemetry_events SELECT * FROM moved
"""
_SWALLOW = """
CREATE OR REPLACE FUNCTION aside.swallow() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    DELETE FROM public.telemetry_events WHERE id = NEW.id;
    RETURN NULL;
END $$;
DROP TRIGGER IF EXISTS swallow ON public.telemetry_events;
CREATE TRIGGER swallow AFTER INSERT ON public.telemetry_events
   FOR EACH ROW WHEN (NEW.mission_id IS NOT NULL) EXECUTE FUNCTION aside.swallow();
"""
_PUT_BACK = """
DROP TRIGGER IF EXISTS swallow ON public.telemetry_events;
INSERT INTO public.telemetry_events
SELECT aside.* FROM aside.telemetry_events AS aside
 WHERE aside.mission_id IS NULL
    OR EXISTS (SELECT FROM public.missions WHERE id = aside.mission_id)
ON CONFLICT (id) DO NOTHING;
DROP SCHEMA aside CASCADE;
"""
_SILENT = """
SELECT max(created_at) < now() - interval '15 minutes'
  FROM telemetry_events
 WHERE mission_id IS NOT NULL
"""


def take_platform_down(lab: LabState) -> None:
    """Kill the agent: every live mission stands still."""
    kill_agent(lab)


def heal_platform(lab: LabState) -> None:
    """Start the agent again, and forget what was told of it."""
    heal_agent(lab)
    forget_what_was_told(lab)


def swallow_telemetry(lab: LabState) -> None:
    """Have the database lose each event of a mission as it is stored; the last is 20 min old."""
    with superuser(lab) as connection:
        with connection.transaction():
            connection.execute(_ASIDE)
            connection.execute(_SWALLOW)
            connection.execute(_MOVE_ASIDE)
        if not first_value(connection, _SILENT):
            raise LabError("Events are still stored.")


def heal_telemetry(lab: LabState) -> None:
    """Let events be stored again, and put those back that were set aside."""
    with superuser(lab) as connection:
        if first_value(connection, "SELECT to_regnamespace('aside') IS NOT NULL"):
            with connection.transaction():
                connection.execute(_PUT_BACK)
    forget_what_was_told(lab)


FAULTS = (
    Fault(
        name="platform_down",
        title="The agent is gone: every live mission stands still",
        inject=take_platform_down,
        heal=heal_platform,
    ),
    Fault(
        name="telemetry_swallowed",
        title="Events are lost as they are stored; the missions go on unseen",
        inject=swallow_telemetry,
        heal=heal_telemetry,
    ),
    Fault(
        name="limits_storm",
        title="A toolkit answers the calls of three missions with a rate limit",
        inject=storm_limits,
        heal=heal_calls,
    ),
    Fault(
        name="login_expired",
        title="A mission's login has run out, and its calls are refused",
        inject=expire_login,
        heal=heal_calls,
    ),
    Fault(
        name="burst_is_over",
        title="A burst of errors that ended before anybody looked",
        inject=burst_and_end,
        heal=heal_events,
    ),
    Fault(
        name="incident_left_open",
        title="An incident that is over and was never closed",
        inject=leave_incident_open,
        heal=heal_events,
    ),
)
