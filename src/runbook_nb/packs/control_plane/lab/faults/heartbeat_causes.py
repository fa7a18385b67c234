"""Heartbeat faults behind an agent that is well: a crowd of missions, a locked table."""

import os
import signal
from datetime import timedelta
from typing import Final

from psycopg.conninfo import conninfo_to_dict

from runbook_nb.packs.control_plane.lab.faults.fault import Fault
from runbook_nb.packs.control_plane.lab.faults.outside import (
    agents,
    first_value,
    is_halted,
    lasting_id,
    let_silence_pass,
    restore_agent,
    restore_live_sessions,
    superuser,
    until,
    wait_for_agents_writes,
)
from runbook_nb.packs.control_plane.lab.faults.shapes import LIVE
from runbook_nb.packs.control_plane.lab.state import LabState
from runbook_nb.timeline.store.embedded.binaries import binary
from runbook_nb.timeline.store.embedded.files import read_secret
from runbook_nb.timeline.store.embedded.processes import start_detached

_CROWD: Final = [lasting_id(f"mission of a crowd {number}") for number in range(16)]
_CROWD_SESSIONS: Final = [lasting_id(f"session of a crowd {number}") for number in range(16)]
_BEATS_EACH: Final = 3
_COPIES: Final = f"""
  from unnest(%(missions)s::uuid[], %(sessions)s::uuid[]) with ordinality
       as copy (mission_id, session_id, place)
  join {LIVE} on n = 1 + (place - 1) %% 8
"""
_COPY_MISSIONS: Final = f"""
insert into missions
select (jsonb_populate_record(original, jsonb_build_object(
           'id', copy.mission_id, 'created_at', now() - interval '1 hour'))).*
{_COPIES}
  join missions as original on original.id = live.id
"""
_COPY_SESSIONS: Final = f"""
insert into mission_sessions
select (jsonb_populate_record(original, jsonb_build_object(
           'id', copy.session_id, 'mission_id', copy.mission_id, 'created_at', now(),
           'last_heartbeat_at', now(), 'state', original.state - 'runner' ||
               jsonb_build_object('mission_id', copy.mission_id)))).*
{_COPIES}
  join mission_sessions as original
    on original.mission_id = live.id and original.state ? 'runner'
"""
_FEWEST_BEATS: Final = """
select min((select count(*) from telemetry_events
             where mission_id = copy and event_type = 'session_heartbeat'
               and agent_name is not null))
  from unnest(%(missions)s::uuid[]) as copy
"""
_END_CROWD: Final = """
with ended as (
    update mission_sessions set status = 'terminated' where mission_id = any(%(missions)s)
)
update missions set status = 'completed' where id = any(%(missions)s)
"""
_WATCHED: Final = """
select count(*) from workspace_stream_sessions
 where mission_id = any(%(missions)s) and disconnected_at is null
"""
_FORGET_CROWD: Final = "delete from missions where id = any(%(missions)s)"

_SILENCE: Final = timedelta(minutes=3)
_MIGRATION: Final = "migration-204"
# What the building of an index takes when it is not told to let others write.
_LOCK: Final = "lock table mission_sessions in share mode"
_WAITED: Final = """
select count(*) from pg_locks
 where not granted and waitstart < clock_timestamp() - interval '6 seconds'
"""
_LET_GO: Final = """
select pg_terminate_backend(pid) from pg_stat_activity where application_name = %(migration)s
"""
_HELD: Final = """
select count(*) from pg_locks join pg_stat_activity using (pid)
 where application_name = %(migration)s and granted and mode = 'ShareLock'
   and relation = 'mission_sessions'::regclass
"""


def _crowd(lab: LabState) -> None:
    """Start sixteen missions more: three times as many as before, all on one machine."""
    copies = {"missions": _CROWD, "sessions": _CROWD_SESSIONS}
    with superuser(lab) as connection:
        with connection.transaction():
            # Else triggers would make of each all that a new mission begins with.
            connection.execute("set local session_replication_role = replica")
            connection.execute(_COPY_MISSIONS.encode(), copies)
            connection.execute(_COPY_SESSIONS.encode(), copies)
        until(
            lambda: first_value(connection, _FEWEST_BEATS, missions=_CROWD) >= _BEATS_EACH,
            within_s=20,
            otherwise="The agent did not take the new missions",
        )


def _disperse(lab: LabState) -> None:
    """End those missions, wait until nobody watches them, and forget them."""
    with superuser(lab) as connection:
        connection.execute(_END_CROWD.encode(), {"missions": _CROWD})
        until(
            lambda: first_value(connection, _WATCHED, missions=_CROWD) == 0,
            within_s=15,
            otherwise="Browsers still watch missions that ended",
        )
        connection.execute(_FORGET_CROWD.encode(), {"missions": _CROWD})
    restore_live_sessions(lab, anew=restore_agent(lab))


def _lock_sessions(lab: LabState) -> None:
    """Have a migration hold the table of sessions; the last beats were three minutes ago."""
    for agent in agents(lab):
        os.kill(agent.pid, signal.SIGSTOP)
    until(lambda: all(map(is_halted, agents(lab))), within_s=2, otherwise="The agent did not halt")
    with superuser(lab) as connection:
        wait_for_agents_writes(connection)
        let_silence_pass(connection, by=_SILENCE)
        _begin_migration(lab)
        until(
            lambda: first_value(connection, _HELD, migration=_MIGRATION) == 1,
            within_s=5,
            otherwise="The migration did not begin",
        )
        for agent in agents(lab):
            os.kill(agent.pid, signal.SIGCONT)
        until(
            lambda: first_value(connection, _WAITED) > 0,
            within_s=15,
            otherwise="Nobody waits for the lock",
        )


def _begin_migration(lab: LabState) -> None:
    known = conninfo_to_dict(read_secret(lab.folder, "postgres.dsn"))
    named = {"PGHOST": "host", "PGPORT": "port", "PGUSER": "user", "PGDATABASE": "dbname"}
    start_detached(
        [
            *(binary("psql"), "--no-psqlrc", "--quiet"),
            *("-c", "begin", "-c", _LOCK, "-c", "select pg_sleep(3600)"),
        ],
        log=lab.folder / f"{_MIGRATION}.log",
        environment={
            **{name: str(known[key]) for name, key in named.items() if key in known},
            "PGPASSWORD": str(known.get("password", "")),
            "PGAPPNAME": _MIGRATION,
            "PATH": os.defpath,
        },
    )


def _end_migration(lab: LabState) -> None:
    """End the migration, and what its lock made late."""
    with superuser(lab) as connection:
        connection.execute(_LET_GO.encode(), {"migration": _MIGRATION})
        until(
            lambda: first_value(connection, _HELD, migration=_MIGRATION) == 0,
            within_s=5,
            otherwise="The migration did not end",
        )
    for agent in agents(lab):
        os.kill(agent.pid, signal.SIGCONT)
    (lab.folder / f"{_MIGRATION}.log").unlink(missing_ok=True)
    restore_agent(lab, restart=True)
    restore_live_sessions(lab, anew=True)


FAULTS: Final = (
    Fault(
        name="missions_crowd",
        title="Three times as many missions as usual run on one machine of the agent",
        inject=_crowd,
        heal=_disperse,
    ),
    Fault(
        name="sessions_locked",
        title="A migration was left open and holds the table that every beat writes to",
        inject=_lock_sessions,
        heal=_end_migration,
    ),
)
