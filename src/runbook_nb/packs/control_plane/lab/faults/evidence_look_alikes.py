"""What looks like damaged evidence and is legitimate: purged, on its way, on hold, saved anew."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from runbook_nb.errors import LabError
from runbook_nb.packs.control_plane.lab.emulators.supabase_objects import (
    EVIDENCE,
    VERSIONS,
    WITHHELD,
)
from runbook_nb.packs.control_plane.lab.faults.evidence import ARTIFACTS, refused_uploads
from runbook_nb.packs.control_plane.lab.faults.evidence_hands import (
    Picked,
    Store,
    bring_back,
    keep,
    picked,
)
from runbook_nb.packs.control_plane.lab.faults.fault import Fault
from runbook_nb.packs.control_plane.lab.faults.journal import change
from runbook_nb.packs.control_plane.lab.faults.outside import superuser
from runbook_nb.packs.control_plane.lab.seed.rows import canonical
from runbook_nb.packs.control_plane.lab.state import LabState

_AGED: Final = """
update mission_artifacts set created_at = now() - interval '400 days'
 where storage_path = any(%(paths)s)
"""
_PURGED: Final = """
insert into telemetry_events (event_type, status, context)
select 'audit_event_recorded', 'success',
       jsonb_build_object('action', 'evidence_purged', 'approver_role', 'governance',
                          'reason', 'retention of 365 days', 'artifact_ids', jsonb_agg(id))
  from mission_artifacts where storage_path = any(%(paths)s)
"""
_HELD: Final = f"""
update mission_artifacts
   set storage_path = '{WITHHELD}/' || storage_path,
       metadata = metadata || '{{"legal_hold": true}}'
 where storage_path = any(%(paths)s)
"""
_COPIED: Final = """
insert into mission_artifacts
       (id, mission_id, artifact_type, name, source_stage, storage_path, storage_provider, hash,
        metadata)
select made.id, mission_id, artifact_type, 'a copy of ' || name, source_stage,
       regexp_replace(storage_path, '[^/]+$', made.id || '.json'), storage_provider, hash, metadata
  from mission_artifacts, lateral (select md5('copy of ' || mission_artifacts.id)::uuid as id) made
 where storage_path = any(%(paths)s)
"""
_COPIES: Final = """
select c.storage_path, a.storage_path
from mission_artifacts c
join mission_artifacts a on c.id = md5('copy of ' || a.id)::uuid
"""
_CONTENT: Final = canonical({"changed": 7, "note": "reviewed and saved anew", "skipped": 0})
_ANEW: Final = """
update mission_artifacts
   set hash = encode(sha256(convert_to(%(content)s, 'utf8')), 'hex'),
       metadata = metadata || jsonb_build_object(
           'content', %(content)s::jsonb, 'size_bytes', length(%(content)s), 'version', 2)
 where storage_path = any(%(paths)s)
"""


def _purge(store: Store, found: Sequence[Picked]) -> None:
    for each in found:
        store.delete(each.path)
        store.delete(f"{VERSIONS}/{each.path}")


def _hold(store: Store, found: Sequence[Picked]) -> None:
    for each in found:
        content = store.read(each.path)
        if content is None:
            raise LabError(f"{each.path} is not there; heal the lab first.")
        store.put(f"{WITHHELD}/{each.path}", content).raise_for_status()
        store.delete(each.path)


def _save_copies(lab: LabState) -> None:
    """Save three outputs once more, each under a row and a path of its own."""
    name = "evidence_same_bytes"
    found = picked(lab, count=3, kind="change_report")
    values = {"paths": [each.path for each in found]}
    change(lab, _COPIED, fault=name, tables=ARTIFACTS, given=values)
    with superuser(lab) as connection:
        copies = connection.execute(_COPIES.encode()).fetchall()
    with Store(lab) as store:
        keep(lab, store, name, [path for (path, _) in copies])
        for path, source in copies:
            content = store.read(source)
            if content is None:
                raise LabError(f"{source} is not there; heal the lab first.")
            store.put(path, content).raise_for_status()


def _save_anew(store: Store, found: Sequence[Picked]) -> None:
    for each in found:
        for path in (each.path, f"{VERSIONS}/{each.path}"):
            store.put(path, _CONTENT.encode()).raise_for_status()


def _legitimate(
    name: str,
    title: str,
    work: Callable[[Store, Sequence[Picked]], None],
    *statements: str,
    tables: Sequence[str] = ARTIFACTS,
    given: Mapping[str, str] | None = None,
    older_days: int = 0,
) -> Fault:
    """Return what is done to the rows and objects of three outputs."""

    def inject(lab: LabState) -> None:
        found = picked(lab, count=3, kind="change_report", older_days=older_days)
        paths = [each.path for each in found]
        with Store(lab) as store:
            others = [f"{bucket}/{path}" for path in paths for bucket in (VERSIONS, WITHHELD)]
            keep(lab, store, name, [*paths, *others])
            values = {"paths": paths, **(given or {})}
            change(lab, *statements, fault=name, tables=tables, given=values)
            work(store, found)

    return Fault(
        name=name, title=title, inject=inject, heal=lambda lab: bring_back(lab, fault=name)
    )


def _bound(lab: LabState) -> None:
    with Store(lab) as store:
        kinds = ["application/json", "application/pdf"]
        store.bucket(EVIDENCE, allowed_mime_types=kinds, file_size_limit=50_000_000)


FAULTS: Final = (
    _legitimate(
        "evidence_purged",
        "Retention purged three artifacts of 400 days ago, and the audit says so",
        _purge,
        _AGED,
        _PURGED,
        tables=("mission_artifacts", "telemetry_events"),
        older_days=14,
    ),
    refused_uploads(
        "evidence_uploading",
        "Eight artifacts were written a minute ago, and their uploads are under way",
        rules=None,
        ago="1 minute",
    ),
    _legitimate(
        "evidence_on_hold",
        "Three artifacts are on legal hold: their objects lie in the withheld bucket",
        _hold,
        _HELD,
    ),
    _legitimate(
        "evidence_saved_anew",
        "Three outputs were saved anew after their review: row, object and version agree",
        _save_anew,
        _ANEW,
        given={"content": _CONTENT},
    ),
    Fault(
        name="evidence_same_bytes",
        title="Three outputs were saved twice: the same bytes under two rows",
        inject=_save_copies,
        heal=lambda lab: bring_back(lab, fault="evidence_same_bytes"),
    ),
    Fault(
        name="evidence_bucket_bounded",
        title="The bucket takes JSON and PDF files up to 50 MB: all that comes",
        inject=_bound,
        heal=lambda lab: bring_back(lab, fault="evidence_bucket_bounded"),
    ),
)
