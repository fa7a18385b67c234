"""How a dashboard's job is let run, and how its view is put back."""

from typing import Any, Final

from runbook_nb.errors import NothingDoneError
from runbook_nb.packs.control_plane.systems._database.dashboards import COMMITTED, LIVE
from runbook_nb.packs.control_plane.systems._database.owner import (
    AS_OWNER,
    demand_few,
    run_statement,
)
from runbook_nb.packs.control_plane.systems.dashboards._jobs import standing
from runbook_nb.packs.control_plane.systems.dashboards._viewers import (
    changed_dashboards,
    committed,
    compared_by_writer,
)
from runbook_nb.probes.calls import Systems, action
from runbook_nb.probes.connections import Database
from runbook_nb.text.values import Json

SET: Final = "update cron.job set active = %(active)s where jobid = any(%(jobs)s) returning jobname"
REPLACE: Final = """
select format('create or replace view public.%%I with (security_barrier = true) as %%s',
              %(view)s::text, %(text)s::text)
"""


@action(timeout_s=30, repeatable=True, contained=True)
def release_job(systems: Systems) -> Json:
    """Let the job that refreshes the views run again; raises NothingDoneError if it is not held."""
    with systems.database().transaction():
        return _released(systems.database())


@release_job.rehearsal
def _(systems: Systems) -> Json:
    with systems.database().transaction(rollback=True):
        return _released(systems.database())


@release_job.undo
def _(systems: Systems, result: Json) -> Json:
    database = systems.database()
    with database.transaction():
        database.rows(AS_OWNER)
        jobs = [one["jobid"] for one in result["released"]]
        return {"held again": database.rows(SET, active=False, jobs=jobs)}


@action(timeout_s=30, repeatable=True, contained=True)
def restore_views(systems: Systems) -> Json:
    """Make dashboards as committed that read otherwise and show other rows; one transaction.

    Raises NothingDoneError where both signs do not agree on any, or where most read otherwise.
    """
    return _restored(systems, rollback=False)


@restore_views.rehearsal
def _(systems: Systems) -> Json:
    return _restored(systems, rollback=True)


@restore_views.undo
def _(systems: Systems, result: Json) -> Json:
    database = systems.database()
    with database.transaction():
        database.rows(AS_OWNER)
        for one in result["put back"]:
            _replace(database, one["dashboard"], one["definition that stood there"])
    return {"as it stood there": [one["dashboard"] for one in result["put back"]]}


def _released(database: Database) -> dict[str, Any]:
    word, rows = standing(database)
    if word != "held":
        message = f"The job {word}: there is nothing to release."
        raise NothingDoneError(message)
    database.rows(AS_OWNER)
    database.rows(SET, active=True, jobs=[row["jobid"] for row in rows])
    return {"released": [{"jobid": row["jobid"], "job": row["jobname"]} for row in rows]}


def _restored(systems: Systems, *, rollback: bool) -> Json:
    database = systems.database()
    changed = changed_dashboards(database)
    demand_few(len(changed), of=len(COMMITTED), what="dashboards")
    wrong = [
        row["dashboard"]
        for row in compared_by_writer(database)
        if row["altered"] and row["dashboard"] in changed
    ]
    if not wrong:
        message = "No dashboard both reads otherwise and shows other rows, so none was changed."
        raise NothingDoneError(message)
    done = []
    with database.transaction(rollback=rollback):
        database.rows(AS_OWNER)
        for dashboard in wrong:
            stood = database.value(LIVE, view=dashboard)
            _replace(database, dashboard, committed(dashboard))
            done.append({"dashboard": dashboard, "definition that stood there": stood})
    return {"put back": done}


def _replace(database: Database, view: str, definition: str) -> None:
    text = definition.strip().rstrip(";")
    run_statement(database, database.value(REPLACE, view=view, text=text))
