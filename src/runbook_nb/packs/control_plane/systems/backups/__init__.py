"""Backups of the database: how old, whether whole, and whether the write-ahead log follows them.

The list of backups comes from Supabase's Management API. Their files stand in the folder of the
setting ``base``, one folder a backup: ``data`` with the files as pg_basebackup wrote them, and
``backup.json`` with the times, the status, the first segment of the log, and what the database
held then (rows by table, a hash of each policy); ``rows.json`` lists the rows. Archived segments
stand in the folder ``wal``.
"""

from runbook_nb.packs.control_plane.systems.backups.actions import take
from runbook_nb.packs.control_plane.systems.backups.probes import (
    age,
    archiving,
    failing_jobs,
    intact,
    last_status,
    missing_segments,
    missions_lost,
    policies_changed,
    purged_early,
    reach,
    restorable_window,
    rows_changed,
    rows_lost,
    scheduled_jobs,
)

__all__ = [
    "age",
    "archiving",
    "failing_jobs",
    "intact",
    "last_status",
    "missing_segments",
    "missions_lost",
    "policies_changed",
    "purged_early",
    "reach",
    "restorable_window",
    "rows_changed",
    "rows_lost",
    "scheduled_jobs",
    "take",
]
