"""The faults around backups in other shapes: counts right and content wrong, alone, and in two."""

import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from runbook_nb.packs.control_plane.lab.backups import BACKUPS, PROOFS, RESTORES, write_manifest
from runbook_nb.packs.control_plane.lab.faults.backups import FAULTS as BACKUP_FAULTS
from runbook_nb.packs.control_plane.lab.faults.backups import (
    close_segments,
    mend_log,
    recall_backups,
    remember_backups,
    segments_aside,
)
from runbook_nb.packs.control_plane.lab.faults.backups_rows import (
    delete_library,
    delete_missions,
    put_back,
)
from runbook_nb.packs.control_plane.lab.faults.fault import Fault
from runbook_nb.packs.control_plane.lab.faults.journal import beside, row_fault, statement_fault
from runbook_nb.packs.control_plane.lab.state import LabState
from runbook_nb.timeline.store.embedded.files import write_whole

_OF: Final = "(select id from tenants where slug = '{}')"
_NORTHWIND: Final = _OF.format("northwind")
_REFILL: Final = (
    f"""
    insert into library_entries (tenant_id, title, category, persona, tags, playbook)
    select tenant_id, 'Untitled play ' || row_number() over (order by id), category, persona,
           tags, '{{}}'::jsonb
      from library_entries where tenant_id = {_NORTHWIND} order by id limit 20
    """,
    """
    insert into library_embeddings (entry_id, embedding, embedding_provider, embedding_model)
    select entry.id, other.embedding, other.embedding_provider, other.embedding_model
      from library_entries as entry,
           lateral (select * from library_embeddings limit 1) as other
     where entry.title like 'Untitled play %'
    """,
    f"""
    delete from library_entries
     where id in (select id from library_entries
                   where tenant_id = {_NORTHWIND} and title not like 'Untitled play %'
                   order by id limit 20)
    """,
)
_OVERWRITE: Final = f"""
update missions set title = 'test', description = null, intent = '{{}}'
 where tenant_id = {_NORTHWIND}
"""
_EMPTY: Final = f"""
update library_entries set playbook = '{{}}' where tenant_id = {_NORTHWIND}
"""
_PURGE: Final = """
delete from composio_audit_events where abs(hashtext(id::text)) % 10 <> 0
"""
_EVIDENCE: Final = f"""
delete from mission_evidence where mission_id in (
    select id from missions where tenant_id = {_NORTHWIND} and status = 'completed')
"""
_FAILING: Final = """
update cron.job_run_details set status = 'failed',
       return_message = 'ERROR:  canceling statement due to statement timeout'
 where jobid in (1, 2) and start_time > now() - interval '4 days'
"""
_HIDE: Final = """
do $$ begin
    execute format(
        'create policy archived_of_one on missions as restrictive for select to authenticated '
        'using (status <> %L or current_tenant_id() <> %L)',
        'archived', (select id from tenants where slug = 'harbourlight'));
end $$
"""
_MENDED: Final = """
update cron.job_run_details set status = 'succeeded', return_message = '1 row'
 where status = 'failed' and return_message like '%statement timeout'
"""


def _deleting(delete: Callable[..., None], *, name: str, tenant: str, title: str) -> Fault:
    return Fault(
        name=name,
        title=title,
        inject=lambda lab: delete(lab, tenant, name=name),
        heal=lambda lab: put_back(lab, name=name),
    )


def _lose_segment(lab: LabState) -> None:
    remember_backups(lab)
    segment = close_segments(lab)[1]
    segment.rename(segments_aside(lab) / segment.name)


def _empty_segment(lab: LabState) -> None:
    remember_backups(lab)
    segment = close_segments(lab)[1]
    shutil.copy2(segment, segments_aside(lab) / segment.name)
    with segment.open("r+b") as file:
        file.truncate()


def _fail_last_night(lab: LabState) -> None:
    """Have the newest attempt fail half an hour ago; the backup before it is fresh."""
    remember_backups(lab)
    _attempt(lab, status="FAILED", ago=timedelta(minutes=30))


def _attempt(lab: LabState, *, status: str, ago: timedelta) -> None:
    at = datetime.now(UTC) + timedelta(seconds=1)
    times = {"started_at": (at - ago).isoformat(), "finished_at": at.isoformat()}
    write_manifest(lab.folder / BACKUPS / f"{at:%Y%m%dT%H%M%SZ}", {**times, "status": status})


def prove(lab: LabState, **differing: Any) -> None:
    """Have another restore be the last proven one; the first is kept aside to heal with."""
    file = lab.folder / RESTORES / PROOFS
    first = json.loads(file.read_text(encoding="utf-8").splitlines()[0])
    write_whole(file.with_suffix(".aside"), file.read_text(encoding="utf-8"))
    write_whole(file, json.dumps({**first, **differing}) + "\n")


def unprove(lab: LabState) -> None:
    """Have the first proof be the last again."""
    aside = (lab.folder / RESTORES / PROOFS).with_suffix(".aside")
    if aside.exists():
        aside.replace(lab.folder / RESTORES / PROOFS)


def _named(name: str) -> Fault:
    return next(fault for fault in BACKUP_FAULTS if fault.name == name)


FAULTS: Final = (
    _deleting(
        delete_missions,
        name="missions_deleted.other_tenant",
        tenant="harbourlight",
        title="The other tenant's finished missions were deleted",
    ),
    row_fault(
        "missions_overwritten",
        "An update without its condition wrote over the title of every mission of a tenant",
        _OVERWRITE,
        tables=["missions"],
        stamping=True,
    ),
    row_fault(
        "missions_overwritten.library",
        "A release emptied the playbook of every entry of a tenant's library",
        _EMPTY,
        tables=["library_entries"],
        stamping=True,
    ),
    row_fault(
        "missions_deleted.evidence_alone",
        "The evidence of a tenant's finished missions was deleted; the missions are there",
        _EVIDENCE,
        tables=["mission_evidence"],
        stamping=True,
    ),
    row_fault(
        "missions_deleted.purge_gone_wild",
        "A purge with the wrong condition took nine of ten audit rows",
        _PURGE,
        tables=["composio_audit_events"],
        stamping=True,
    ),
    _deleting(
        delete_library,
        name="library_deleted.other_tenant",
        tenant="northwind",
        title="The other tenant's library was deleted",
    ),
    row_fault(
        "library_deleted.refilled",
        "Twenty entries of a library were deleted, and as many empty ones written",
        *_REFILL,
        tables=["library_entries", "library_embeddings"],
        stamping=True,
    ),
    beside(
        "library_deleted.beside_jobs",
        "A tenant's library was deleted, and two jobs are off",
        _deleting(
            delete_library,
            name="library_deleted.beside_jobs",
            tenant="harbourlight",
            title="",
        ),
        _named("jobs_stopped"),
    ),
    Fault(
        name="backup_stale.last_night_alone",
        title="The newest attempt failed; the backup before it is fresh",
        inject=_fail_last_night,
        heal=recall_backups,
    ),
    Fault(
        name="wal_gap.nothing_deleted",
        title="A segment of the archived log is lost, and no row is",
        inject=_lose_segment,
        heal=mend_log,
    ),
    Fault(
        name="wal_gap.empty_file",
        title="A segment of the archived log has no bytes; its name is listed",
        inject=_empty_segment,
        heal=mend_log,
    ),
    statement_fault(
        "jobs_stopped.one",
        "One scheduled job is off: nothing is purged",
        inject=["update cron.job set active = false where jobid = 2"],
        heal=["update cron.job set active = true where jobid = 2"],
    ),
    statement_fault(
        "jobs_stopped.running_and_failing",
        "Two scheduled jobs run on time, and each run for four days has failed",
        inject=[_FAILING],
        heal=[_MENDED],
    ),
    Fault(
        name="restore_overdue.too_slow",
        title="The last proven restore took five hours and a half",
        inject=lambda lab: prove(lab, took_s=19_800.0),
        heal=unprove,
    ),
    statement_fault(
        "rows_hidden.one_tenant",
        "A new policy hides the archived missions of one tenant",
        inject=[
            _HIDE,
        ],
        heal=["drop policy if exists archived_of_one on missions"],
    ),
)
