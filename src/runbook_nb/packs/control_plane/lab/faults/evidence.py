"""Six faults of evidence: objects cut short, replaced, deleted, misplaced; hashes; uploads."""

import json
from collections.abc import Sequence
from typing import Any, Final

from runbook_nb.errors import LabError
from runbook_nb.packs.control_plane.lab.emulators.supabase_objects import EVIDENCE
from runbook_nb.packs.control_plane.lab.faults.evidence_hands import (
    OTHER,
    Picked,
    Store,
    bring_back,
    keep,
    object_fault,
)
from runbook_nb.packs.control_plane.lab.faults.fault import Fault
from runbook_nb.packs.control_plane.lab.faults.journal import change, row_fault
from runbook_nb.packs.control_plane.lab.faults.outside import superuser
from runbook_nb.packs.control_plane.lab.seed.rows import canonical
from runbook_nb.packs.control_plane.lab.state import LabState

ARTIFACTS: Final = ("mission_artifacts",)
_NEWEST: Final = """(
    select id from mission_artifacts
     where storage_path is not null order by created_at desc, id limit 6)"""
_UPPER: Final = f"update mission_artifacts set hash = upper(hash) where id in {_NEWEST}"
# A late report of a finished mission: its row, whose object is then uploaded.
_LATE: Final = """
insert into mission_artifacts
       (id, mission_id, artifact_type, name, source_stage, storage_path, storage_provider, hash,
        metadata, created_at, updated_at)
select made.id, m.id, 'audit_report', 'audit report for ' || m.title, 'Reflect',
       'evidence/' || m.id || '/' || made.id || '.json', 'supabase',
       encode(sha256(convert_to(%(content)s, 'utf8')), 'hex'),
       jsonb_build_object('content', %(content)s::jsonb, 'size_bytes', length(%(content)s),
                          'version', 1),
       now() - %(ago)s::interval, now() - %(ago)s::interval
from (
    select id, title from missions where status = 'completed' order by completed_at desc, id
    limit %(count)s
) as m,
lateral (select md5(%(fault)s || m.id::text)::uuid as id) as made
"""
_MADE: Final = """
select storage_path from mission_artifacts where artifact_type = 'audit_report' and name is not null
"""
REPORT: Final = canonical({"checks": ["hashes", "approvals", "undo plan"], "passed": 3, "open": 0})


def cut_short(store: Store, found: list[Picked]) -> None:
    """Lose the second half of objects beneath the service."""
    for each in found:
        content = held(store, each)
        store.rot(each.path, content[: len(content) // 2])


def replace(store: Store, found: list[Picked]) -> None:
    """Upload another content over objects, as a job that writes to a wrong path does."""
    for each in found:
        content = {**json.loads(held(store, each)), "note": "regenerated"}
        store.put(each.path, canonical(content).encode()).raise_for_status()


def delete(store: Store, found: list[Picked]) -> None:
    """Delete objects through the service."""
    for each in found:
        store.delete(each.path)


def misplace(store: Store, found: list[Picked]) -> None:
    """Move objects to the bucket that an older release wrote to."""
    store.bucket(OTHER, public=False)
    for each in found:
        move(store, each.path, f"{OTHER}/{each.path.partition('/')[2]}")


def move(store: Store, path: str, to: str) -> None:
    """Move an object; its row is left as it is."""
    content = store.read(path)
    if content is None:
        raise LabError(f"{path} is not there; heal the lab first.")
    store.put(to, content).raise_for_status()
    store.delete(path)


def refused_uploads(
    name: str, title: str, *, rules: dict[str, Any] | None, count: int = 8, ago: str = "20 minutes"
) -> Fault:
    """Return a fault that gives the bucket these rules, and has late reports uploaded then.

    Without rules nothing is sent at all: the row says where the object is, and no one uploads it.
    """

    def inject(lab: LabState) -> None:
        values = {"content": REPORT, "ago": ago, "count": count, "fault": name}
        change(lab, _LATE, fault=name, tables=ARTIFACTS, given=values)
        with Store(lab) as store:
            paths = made_paths(lab)
            keep(lab, store, name, paths)
            if rules is None:
                return
            store.bucket(EVIDENCE, **rules)
            if not all(store.put(path, REPORT.encode()).is_error for path in paths):
                raise LabError("The bucket takes what it was to refuse.")

    return Fault(
        name=name, title=title, inject=inject, heal=lambda lab: bring_back(lab, fault=name)
    )


def made_paths(lab: LabState) -> Sequence[str]:
    """Return the paths of the late reports that a fault wrote rows for."""
    with superuser(lab) as connection:
        return [path for (path,) in connection.execute(_MADE).fetchall()]


def held(store: Store, each: Picked) -> bytes:
    """Return what an object holds; raises LabError where it is not there."""
    content = store.read(each.path)
    if content is None:
        raise LabError(f"{each.path} is not there; heal the lab first.")
    return content


FAULTS: Final = (
    object_fault(
        "evidence_truncated",
        "The second half of six objects is lost beneath the service",
        cut_short,
        count=6,
    ),
    object_fault(
        "evidence_replaced",
        "Six objects were overwritten with other content; their rows are right",
        replace,
        count=6,
    ),
    object_fault(
        "evidence_deleted",
        "Six objects were deleted; their rows are well",
        delete,
        count=6,
    ),
    object_fault(
        "evidence_misplaced",
        "Six objects were moved to the bucket of an older release",
        misplace,
        also=lambda path: f"{OTHER}/{path.partition('/')[2]}",
        count=6,
    ),
    row_fault(
        "evidence_hash_case",
        "A client wrote the hash of six rows in capitals",
        _UPPER,
        tables=ARTIFACTS,
    ),
    refused_uploads(
        "evidence_refused",
        "The bucket was set to take PDF files only, and eight uploads were refused",
        rules={"allowed_mime_types": ["application/pdf"]},
    ),
)
