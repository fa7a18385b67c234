"""How the way of an event into its table is opened again."""

from datetime import timedelta
from typing import Any, Final

from runbook_nb.errors import NothingDoneError
from runbook_nb.packs.control_plane.systems._database.owner import AS_OWNER, run_statement
from runbook_nb.packs.control_plane.systems.event_path._path import between, proven, watched
from runbook_nb.packs.control_plane.systems.event_path._rights import (
    GRANT,
    MENDABLE,
    ROLE,
    lacking,
)
from runbook_nb.probes.calls import Systems, action
from runbook_nb.probes.connections import Database
from runbook_nb.text.values import Json

SWITCH: Final = """
select format('alter table public.telemetry_events %%s %%s %%I',
              case when %(mode)s::text = 'D' then 'disable'
                   when %(mode)s::text = 'A' then 'enable always'
                   when %(mode)s::text = 'R' then 'enable replica'
                   else 'enable' end,
              %(kind)s::text, %(name)s::text)
"""
HELD: Final = """
select jobid, jobname, schedule
from cron.job
where active
  and command ~ 'cleanup_telemetry_events\\('
order by jobid
"""
HOLD: Final = (
    "update cron.job set active = %(active)s where jobid = any(%(jobs)s) returning jobname"
)


@action(timeout_s=180, repeatable=True, contained=True)
def open_path(systems: Systems, *, watch: timedelta) -> Json:
    """Disable the triggers and rules that are proven to take events away, in one transaction.

    They are proven again first; raises NothingDoneError where none is.
    """
    taken = _taken(systems.database(), watch)
    return _disabled(systems.database(), taken, rollback=False)


@open_path.rehearsal
def _(systems: Systems, *, watch: timedelta) -> Json:
    taken = _taken(systems.database(), watch)
    return _disabled(systems.database(), taken, rollback=True)


@open_path.undo
def _(systems: Systems, result: Json, *, watch: timedelta) -> Json:  # noqa: ARG001
    database = systems.database()
    with database.transaction():
        database.rows(AS_OWNER)
        for one in result["disabled"]:
            run_statement(database, database.value(SWITCH, **_named(one)))
    return {"enabled again": [one["name"] for one in result["disabled"]]}


@action(timeout_s=30, repeatable=True, contained=True)
def restore_rights(systems: Systems) -> Json:
    """Give the service role the rights that writing an event takes, in one transaction."""
    return _granted(systems.database(), rollback=False)


@restore_rights.rehearsal
def _(systems: Systems) -> Json:
    return _granted(systems.database(), rollback=True)


@restore_rights.undo
def _(systems: Systems, result: Json) -> Json:
    database = systems.database()
    with database.transaction():
        database.rows(AS_OWNER)
        for right in result["granted"]:
            run_statement(database, database.value(GRANT, right=right, give=False))
    return {"taken again": result["granted"]}


@action(timeout_s=30, repeatable=True, contained=True)
def hold_purge(systems: Systems) -> Json:
    """Hold the job that purges events; nothing is deleted until it is released."""
    with systems.database().transaction():
        return _held(systems.database())


@hold_purge.rehearsal
def _(systems: Systems) -> Json:
    with systems.database().transaction(rollback=True):
        return _held(systems.database())


@hold_purge.undo
def _(systems: Systems, result: Json) -> Json:
    database = systems.database()
    jobs = [one["jobid"] for one in result["held"]]
    with database.transaction():
        database.rows(AS_OWNER)
        return {"runs again": database.rows(HOLD, active=True, jobs=jobs)}


def _held(database: Database) -> dict[str, Any]:
    database.rows(AS_OWNER)
    jobs = database.rows(HELD)
    database.rows(HOLD, active=False, jobs=[one["jobid"] for one in jobs])
    return {"held": jobs}


def _taken(database: Database, watch: timedelta) -> list[dict[str, Any]]:
    found = between(database)
    taken = proven(found, watched(database, watch)) if found else []
    if not taken:
        message = "Nothing is proven to take events away, so nothing was disabled."
        raise NothingDoneError(message)
    return taken


def _disabled(database: Database, taken: list[dict[str, Any]], *, rollback: bool) -> Json:
    with database.transaction(rollback=rollback):
        database.rows(AS_OWNER)
        for one in taken:
            run_statement(database, database.value(SWITCH, **{**_named(one), "mode": "D"}))
        left = [one["name"] for one in between(database)]
    return {"disabled": taken, "still between an insert and its row": left}


def _named(one: dict[str, Any]) -> dict[str, str]:
    return {name: one[name] for name in ("name", "kind", "mode")}


def _granted(database: Database, *, rollback: bool) -> Json:
    with database.transaction(rollback=rollback):
        database.rows(AS_OWNER)
        granted = []
        for right in MENDABLE:
            if any(one["role"] == ROLE and one["lacks"] == right for one in lacking(database)):
                run_statement(database, database.value(GRANT, right=right, give=True))
                granted.append(right)
        left = lacking(database)
    return {"granted": granted, "rights that lack after": left}
