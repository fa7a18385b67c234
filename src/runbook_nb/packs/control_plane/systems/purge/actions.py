"""How the jobs that delete are held."""

from typing import Any, Final

from runbook_nb.packs.control_plane.systems._database.owner import AS_OWNER
from runbook_nb.probes.calls import Systems, action
from runbook_nb.probes.connections import Database
from runbook_nb.text.values import Json

# A job deletes if its command does, or if the function that it calls does.
DELETING: Final = r"""
select j.jobid, j.jobname
from cron.job j
where j.active
  and (j.command ~* '\m(delete|truncate|drop)\M'
       or exists (select from pg_proc p
                  where p.pronamespace = 'public'::regnamespace
                    and j.command ~ ('\m' || p.proname || '\M')
                    and p.prosrc ~* '\m(delete from|truncate|drop)\M'))
order by j.jobid
"""
ALTER: Final = "select cron.alter_job(%(job)s, active := %(active)s)"


@action(timeout_s=30, repeatable=True, contained=True)
def hold(systems: Systems) -> Json:
    """Switch off every scheduled job that deletes rows, so that nothing more is lost to age."""
    return _hold(systems.database(), rollback=False)


@hold.rehearsal
def _(systems: Systems) -> Json:
    return _hold(systems.database(), rollback=True)


@hold.undo
def _(systems: Systems, result: Json) -> Json:
    database = systems.database()
    with database.transaction():
        database.rows(AS_OWNER)
        for job in result["held"]:
            database.rows(ALTER, job=job["jobid"], active=True)
    return {"deletes again": [job["jobname"] for job in result["held"]]}


def _hold(database: Database, *, rollback: bool) -> dict[str, Any]:
    with database.transaction(rollback=rollback):
        database.rows(AS_OWNER)
        held = database.rows(DELETING)
        for job in held:
            database.rows(ALTER, job=job["jobid"], active=False)
        left = len(database.rows(DELETING))
    return {"held": held, "jobs that delete after": left}
