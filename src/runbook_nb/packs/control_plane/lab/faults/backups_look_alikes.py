"""What looks like a loss and is work: a job added, rows a user removed, a backup that runs."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from runbook_nb.packs.control_plane.lab.backups import BACKUPS, forget_backup, write_manifest
from runbook_nb.packs.control_plane.lab.faults.fault import Fault
from runbook_nb.packs.control_plane.lab.faults.journal import row_fault, statement_fault
from runbook_nb.packs.control_plane.lab.state import LabState

_JOB: Final = "weekly_digest"
_ENTRY: Final = """
delete from library_entries where id = (
    select id from library_entries where tenant_id is not null order by created_at, id limit 1)
"""
_ARCHIVED: Final = """(
    select id from missions where status = 'archived' order by archived_at, id limit 2
)"""
_RECORDED: Final = f"""
insert into telemetry_events (event_type, status, context)
select 'audit_event_recorded', 'success',
       jsonb_build_object('action', 'missions_deleted', 'approver_role', 'governance',
                          'reason', 'end of contract', 'mission_ids', jsonb_agg(id))
  from {_ARCHIVED} as gone
"""
_DELETED: Final = f"delete from missions where id in {_ARCHIVED}"
_TOUCHED: Final = (
    *("missions", "mission_metadata", "mission_stage_status", "mission_safeguards"),
    *("toolkit_selections", "mission_connections", "data_inspection_checks", "mission_undo_plans"),
    *("mission_plays", "mission_approvals", "mission_sessions", "mission_artifacts"),
    *("mission_evidence", "mission_feedback", "mission_followups", "mission_retrospectives"),
    *("telemetry_events", "workspace_stream_sessions", "composio_audit_events", "undo_events"),
    *("library_entries", "library_embeddings"),
)
_NO_FILE: Final = """
insert into mission_artifacts (mission_id, artifact_type, name, source_stage, metadata)
select id, 'note', 'A note in words alone', 'Reflect', '{"inline": "Nothing to file."}'
  from missions where status = 'completed' order by completed_at desc, id limit 3
"""


def _begin_backup(lab: LabState) -> None:
    at = datetime.now(UTC) + timedelta(seconds=1)
    write_manifest(
        _running(lab, at),
        {
            "started_at": (at - timedelta(minutes=5)).isoformat(),
            "finished_at": at.isoformat(),
            "status": "PENDING",
        },
    )


def _end_backup(lab: LabState) -> None:
    for backup in (lab.folder / BACKUPS).glob("*-running"):
        forget_backup(backup)


def _running(lab: LabState, at: datetime) -> Path:
    return lab.folder / BACKUPS / f"{at:%Y%m%dT%H%M%SZ}-running"


FAULTS: Final = (
    statement_fault(
        "job_added",
        "A fifth job was scheduled on purpose: it sends a digest each week",
        inject=[f"select cron.schedule('{_JOB}', '0 7 * * 1', 'select 1')"],
        heal=[
            f"select cron.unschedule(jobid) from cron.job where jobname = '{_JOB}'",
        ],
    ),
    row_fault(
        "entry_removed_by_user",
        "A user removed one entry of the library",
        _ENTRY,
        tables=["library_entries", "library_embeddings"],
        stamping=True,
    ),
    row_fault(
        "deletion_planned",
        "Two archived missions were deleted as agreed, and the audit says so",
        _RECORDED,
        _DELETED,
        tables=_TOUCHED,
        stamping=True,
    ),
    row_fault(
        "artifacts_without_file",
        "Three artifacts hold words alone, so that no object belongs to them",
        _NO_FILE,
        tables=["mission_artifacts"],
    ),
    Fault(
        name="backup_running",
        title="Tonight's backup began five minutes ago; the last one is fresh",
        inject=_begin_backup,
        heal=_end_backup,
    ),
    row_fault(
        "tenant_new",
        "A tenant that signed up a minute ago has one draft and nothing else",
        "insert into tenants (slug, name) values ('fjordline', 'Fjordline')",
        "insert into missions (tenant_id, title) "
        "select id, 'Our first mission' from tenants where slug = 'fjordline'",
        tables=["tenants", "missions"],
    ),
)
