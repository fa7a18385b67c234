"""Hands for faults of inspections: missions that begin Prepare, and what the agent does then."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import httpx
from psycopg.conninfo import conninfo_to_dict

from runbook_nb.errors import LabError
from runbook_nb.packs.control_plane.lab.faults.composio_hands import heal_partner
from runbook_nb.packs.control_plane.lab.faults.journal import change, take_back
from runbook_nb.packs.control_plane.lab.faults.outside import (
    first_value,
    restore_agent,
    restore_live_sessions,
    superuser,
    until,
)
from runbook_nb.packs.control_plane.lab.inspection import NO_CERTIFICATES
from runbook_nb.packs.control_plane.lab.state import LabState
from runbook_nb.timeline.store.embedded.binaries import binary
from runbook_nb.timeline.store.embedded.files import read_secret
from runbook_nb.timeline.store.embedded.processes import start_detached

JOURNAL: Final = "inspections"
TABLES: Final = ("missions", "mission_stage_status")
_REPORT: Final = "monthly-report"
# The platform's target for a preview, and a little more.
LATE_S: Final = 10.5
_WITHIN_S: Final = 30.0

# Missions that have chosen their toolkits; those that are in Prepare first.
_CHOSEN: Final = """
SELECT m.id::text
  FROM missions AS m
  JOIN tenants AS t ON t.id = m.tenant_id
 WHERE m.current_stage IN ('Prepare', 'Plan')
   AND (%(tenant)s::text IS NULL OR t.slug = %(tenant)s)
   AND EXISTS (SELECT FROM toolkit_selections AS x WHERE x.mission_id = m.id)
 ORDER BY m.current_stage, m.id
 LIMIT %(count)s
"""
_TOOLKITS: Final = """
SELECT toolkit_slug FROM toolkit_selections
 WHERE mission_id::text = ANY(%(missions)s) AND toolkit_slug <> 'warehouse'
 GROUP BY toolkit_slug ORDER BY count(*) DESC, toolkit_slug
"""
_PREPARE_MISSIONS: Final = """
update missions set current_stage = 'Prepare', status = 'in_progress', readiness = 'unknown',
       ready_at = null
 where id::text = any(%(missions)s)
"""
_PREPARE_STAGES: Final = """
update mission_stage_status
   set status = 'in_progress', readiness_state = 'unknown', coverage_percent = null,
       completed_at = null, started_at = clock_timestamp() - %(ago)s::interval
 where mission_id::text = any(%(missions)s) and stage = 'Prepare'
"""
_SCOPE: Final = """
insert into mission_metadata (mission_id, metadata_key, metadata_value, source_stage)
select mission::uuid, 'inspection_scope', jsonb_build_object('sample_rows', %(rows)s::int), 'Define'
  from unnest(%(missions)s::text[]) as mission
"""
_FORGET: Final = (
    "DELETE FROM data_inspection_checks WHERE details ? 'inspection_id'",
    "DELETE FROM composio_audit_events WHERE outcome ? 'inspection_id'",
    "DELETE FROM telemetry_events WHERE context ? 'inspection_id'",
    "DELETE FROM mission_metadata WHERE metadata_key IN ('inspection_hold', 'inspection_scope')",
)
_LOCK: Final = """
begin; lock table data_inspection_checks in share mode; select pg_sleep(600);
"""
_LOCKED: Final = """
SELECT count(*) FROM pg_locks AS l JOIN pg_stat_activity AS a USING (pid)
 WHERE a.application_name = %(name)s AND l.granted
   AND l.relation = 'data_inspection_checks'::regclass AND l.mode = 'ShareLock'
"""
_UNLOCK: Final = """
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = %(name)s
"""


def prepare(
    lab: LabState,
    *,
    count: int = 2,
    tenant: str | None = None,
    ago: str = "0 s",
    scope: int | None = None,
) -> list[str]:
    """Have missions come to Prepare; returns them. ``scope`` is how many rows their owner wants."""
    with superuser(lab) as connection:
        given = {"count": count, "tenant": tenant}
        missions = [row[0] for row in connection.execute(_CHOSEN, given)]
    if len(missions) < count:
        raise LabError(f"Only {len(missions)} missions could come to Prepare; heal the lab first.")
    about: dict[str, Any] = {"missions": missions, "ago": ago}
    change(lab, _PREPARE_MISSIONS, _PREPARE_STAGES, fault=JOURNAL, tables=TABLES, given=about)
    if scope is not None:
        with superuser(lab) as connection:
            connection.execute(_SCOPE, {"missions": missions, "rows": scope})
    return missions


def toolkit_of(lab: LabState, missions: Sequence[str]) -> str:
    """Return the toolkit with an account that most of the missions chose."""
    with superuser(lab) as connection:
        return str(first_value(connection, _TOOLKITS, missions=[*missions]))


def inspect(lab: LabState, missions: Sequence[str], *, times: int = 1) -> None:
    """Ask the agent for the missions' inspections, so many times, as the page does."""
    with _agent(lab) as client:
        for _time in range(times):
            for mission in missions:
                client.post("/inspection/run", json={"mission_id": mission}).raise_for_status()


def under_way(lab: LabState) -> list[Mapping[str, Any]]:
    """Return what the agent inspects."""
    with _agent(lab) as client:
        found: list[Mapping[str, Any]] = client.get("/inspection").json()["inspections"]
    return found


def await_late(lab: LabState) -> None:
    """Wait until an inspection has gone on for longer than the platform wants."""
    until(
        lambda: any(one["age_s"] > LATE_S for one in under_way(lab)),
        within_s=_WITHIN_S,
        otherwise="No inspection was late",
    )


def await_ended(lab: LabState) -> None:
    """Wait until the agent inspects nothing."""
    until(lambda: not under_way(lab), within_s=_WITHIN_S, otherwise="Inspections did not end")


def lock(lab: LabState) -> None:
    """Have a report hold the table of checks, so that nobody can write there."""
    dsn = conninfo_to_dict(read_secret(lab.folder, "postgres.dsn"))
    names = {"host": "PGHOST", "port": "PGPORT", "user": "PGUSER", "password": "PGPASSWORD"}
    environment = {variable: str(dsn[name]) for name, variable in names.items() if name in dsn}
    start_detached(
        [binary("psql"), "-d", str(dsn.get("dbname", "postgres")), "-c", _LOCK],
        log=lab.folder / "report.log",
        environment={**environment, "PGAPPNAME": _REPORT},
    )
    with superuser(lab) as connection:
        until(
            lambda: first_value(connection, _LOCKED, name=_REPORT) == 1,
            within_s=5,
            otherwise="The report did not get its lock",
        )


def heal(lab: LabState) -> None:
    """End locks and inspections, forget what they wrote, and have all be as it was."""
    with superuser(lab) as connection:
        first_value(connection, _UNLOCK, name=_REPORT)
    restore_live_sessions(lab, anew=restore_agent(lab))
    with _agent(lab) as client:
        for one in under_way(lab):
            client.delete(f"/inspection/{one['id']}")
    heal_partner(lab)
    with superuser(lab) as connection:
        for statement in _FORGET:
            connection.execute(statement.encode())
    take_back(lab, fault=JOURNAL)


def _agent(lab: LabState) -> httpx.Client:
    return httpx.Client(
        base_url=f"http://127.0.0.1:{lab.ports['agent']}",
        timeout=5,
        trust_env=False,
        verify=NO_CERTIFICATES,
    )
