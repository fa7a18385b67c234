"""Alert rules for backups, lost rows and lost objects, with the thresholds of the platform."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from runbook_nb.packs.control_plane.lab.backups import PROOFS, RESTORES, manifests
from runbook_nb.packs.control_plane.lab.inspection import NO_CERTIFICATES
from runbook_nb.packs.control_plane.lab.rules.rule import AlertRule
from runbook_nb.packs.control_plane.lab.state import LabState
from runbook_nb.timeline.store.embedded.files import read_secret

# The platform's RPO, and how often it restores a backup to prove it.
STALE: Final = timedelta(hours=24)
PROVEN_WITHIN: Final = timedelta(days=7)
_LOOKED_AT: Final = 5
_REF: Final = "aiemployeelabproject"

_COUNTS: Final = """
select (select count(*) from missions), (select count(*) from library_entries)
"""
_OWNED: Final = "select tenant_id::text, count(*) from missions group by tenant_id"
_NEWEST: Final = """
select storage_path from mission_artifacts
where storage_path is not null
order by created_at desc, id
limit %(count)s
"""


def _backup_is_stale(lab: LabState, _connection: Any) -> bool:
    import httpx

    url = f"http://127.0.0.1:{lab.ports['supabase_management']}"
    key = read_secret(lab.folder, "supabase_management.token")
    listed = httpx.get(
        f"{url}/v1/projects/{_REF}/database/backups",
        headers={"authorization": f"Bearer {key}"},
        trust_env=False,
        verify=NO_CERTIFICATES,
    ).json()["backups"]
    good = [each["inserted_at"] for each in listed if each["status"] == "COMPLETED"]
    newest = max(map(datetime.fromisoformat, good), default=None)
    return newest is None or datetime.now(UTC) - newest > STALE


def _rows_are_lost(lab: LabState, connection: Any) -> bool:
    known = _known(lab)
    if known is None:
        return False
    missions, entries = connection.execute(_COUNTS).fetchone()
    tables = known["tables"]
    return bool(missions < tables["missions"] or entries < tables["library_entries"])


def _log_has_a_gap(lab: LabState, _connection: Any) -> bool:
    known = _known(lab)
    if known is None:
        return False
    # With equal timelines and logs of one size, names count up as numbers of base 16 do.
    per_log = 2**32 // known["wal_segment_bytes"]
    folder = lab.folder / "postgres" / "archive"
    names = [file.name for file in folder.iterdir() if "." not in file.name]
    there = {int(name[8:16], 16) * per_log + int(name[16:24], 16) for name in names}
    name = known["wal_first"]
    first = int(name[8:16], 16) * per_log + int(name[16:24], 16)
    later = {number for number in there if number >= first}
    return bool(later) and len(later) < max(later) - first + 1


def _objects_are_missing(lab: LabState, connection: Any) -> bool:
    import httpx

    key = read_secret(lab.folder, "supabase_storage.token")
    url = f"http://127.0.0.1:{lab.ports['supabase_storage']}/storage/v1/object"
    headers = {"authorization": f"Bearer {key}"}
    with httpx.Client(headers=headers, trust_env=False, verify=NO_CERTIFICATES) as client:
        paths = connection.execute(_NEWEST, {"count": _LOOKED_AT}).fetchall()
        return any(client.head(f"{url}/{path}").is_error for (path,) in paths)


def _tenants_miss_rows(lab: LabState, connection: Any) -> bool:
    """Count each tenant's missions as the tenant sees them, and compare with what it owns."""
    import psycopg

    owned = connection.execute(_OWNED).fetchall()
    with psycopg.connect(read_secret(lab.folder, "authenticator.dsn")) as tenant_side:
        for tenant, missions in owned:
            claims = json.dumps({"tenant_id": tenant, "role": "authenticated"})
            tenant_side.execute("select set_config('request.jwt.claims', %s, true)", [claims])
            tenant_side.execute("set local role authenticated")
            seen = tenant_side.execute("select count(*) from missions").fetchone()
            tenant_side.rollback()
            if seen is not None and seen[0] < missions:
                return True
    return False


def _restore_is_due(lab: LabState, _connection: Any) -> bool:
    try:
        lines = (lab.folder / RESTORES / PROOFS).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return False
    proven = datetime.fromisoformat(json.loads(lines[-1])["at"])
    return datetime.now(UTC) - proven > PROVEN_WITHIN


def _known(lab: LabState) -> dict[str, Any] | None:
    """Return what the newest backup with files says it held; None before there is one."""
    known = [
        backup
        for backup in manifests(lab.folder).values()
        if "tables" in backup and backup["status"] == "COMPLETED"
    ]
    return known[0] if known else None


def _rule(
    name: str, severity: str, summary: str, fires: Callable[[LabState, Any], bool]
) -> AlertRule:
    return AlertRule(name=name, severity=severity, summary=summary, fires=fires, service="database")


RULES: Final = (
    _rule(
        "DatabaseBackupStale",
        "critical",
        "No backup of the database has completed for 24 h.",
        _backup_is_stale,
    ),
    _rule(
        "DatabaseRowsLost",
        "critical",
        "The database holds fewer missions or library entries than its last backup.",
        _rows_are_lost,
    ),
    _rule(
        "WalArchiveGap",
        "critical",
        "A segment of the write-ahead log is missing from the archive.",
        _log_has_a_gap,
    ),
    _rule(
        "EvidenceObjectsMissing",
        "critical",
        "Newest artifacts have no object in Storage.",
        _objects_are_missing,
    ),
    _rule(
        "TenantMissionsUnseen",
        "critical",
        "A tenant sees fewer missions than it owns.",
        _tenants_miss_rows,
    ),
    _rule(
        "VerificationRestoreDue",
        "warning",
        "No restore was proven for 7 days.",
        _restore_is_due,
    ),
)
