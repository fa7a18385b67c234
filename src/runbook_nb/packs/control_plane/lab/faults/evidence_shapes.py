"""The faults of evidence in other shapes: less, older, by one byte, for good, and in two ways."""

import json
from typing import Any, Final

from runbook_nb.packs.control_plane.lab.emulators.supabase_objects import VERSIONS
from runbook_nb.packs.control_plane.lab.faults.evidence import (
    ARTIFACTS,
    cut_short,
    delete,
    held,
    misplace,
    move,
    refused_uploads,
)
from runbook_nb.packs.control_plane.lab.faults.evidence_hands import (
    OTHER,
    Picked,
    Store,
    object_fault,
)
from runbook_nb.packs.control_plane.lab.faults.journal import row_fault

_OLD: Final[dict[str, Any]] = {"count": 2, "older_days": 14}
_SOME: Final = """(
    select id from mission_artifacts
     where artifact_type = '{}' order by created_at desc, id limit 4)"""
_OUTPUTS: Final = _SOME.format("change_report")
_BUNDLES: Final = _SOME.format("evidence_bundle")
_OTHER_ROW: Final = f"""
update mission_artifacts as a
   set hash = (select b.hash from mission_artifacts as b
                where b.mission_id = a.mission_id and b.artifact_type = 'draft_set')
 where a.id in {_OUTPUTS}
"""


def _empty(store: Store, found: list[Picked]) -> None:
    for each in found:
        store.rot(each.path, b"")


def _drop_byte(store: Store, found: list[Picked]) -> None:
    for each in found:
        store.rot(each.path, held(store, each)[:-1])


def _change_byte(store: Store, found: list[Picked]) -> None:
    for each in found:
        content = held(store, each)
        store.rot(each.path, content[:-1] + b" ")


def _overwrite(store: Store, found: list[Picked]) -> None:
    """Save each artifact's content at the path of the next one."""
    contents = [held(store, each) for each in found]
    for each, content in zip(found, contents[1:] + contents[:1], strict=True):
        store.put(each.path, content).raise_for_status()


def _write_spaced(store: Store, found: list[Picked]) -> None:
    """Write the same content with spaces, as another client of ours does."""
    for each in found:
        content = json.dumps(json.loads(held(store, each)))
        store.put(each.path, content.encode()).raise_for_status()


def _delete_for_good(store: Store, found: list[Picked]) -> None:
    delete(store, found)
    for each in found:
        store.delete(f"{VERSIONS}/{each.path}")


def _lose_bytes(store: Store, found: list[Picked]) -> None:
    for each in found:
        store.rot(each.path, None)


def _file_away(store: Store, found: list[Picked]) -> None:
    for each in found:
        move(store, each.path, _in_folder(each.path))


def _write_capitals(store: Store, found: list[Picked]) -> None:
    for each in found:
        move(store, each.path, _in_capitals(each.path))


def _in_folder(path: str) -> str:
    bucket, _, name = path.partition("/")
    return f"{bucket}/archive/{name}"


def _in_capitals(path: str) -> str:
    bucket, _, name = path.partition("/")
    return f"{bucket}/{name.upper()}"


def _in_other(path: str) -> str:
    return f"{OTHER}/{path.partition('/')[2]}"


FAULTS: Final = (
    object_fault("evidence_emptied", "A bundle has no byte left", _empty, count=1),
    object_fault(
        "evidence_truncated_old", "Two objects of two weeks ago are cut short", cut_short, **_OLD
    ),
    object_fault(
        "evidence_byte_short",
        "One tenant's objects lack their last byte",
        _drop_byte,
        count=3,
        tenant="northwind",
    ),
    object_fault(
        "evidence_overwritten",
        "Bundles were saved at each other's paths",
        _overwrite,
        count=3,
        kind="evidence_bundle",
    ),
    object_fault(
        "evidence_reserialised", "The same content was written with spaces", _write_spaced, count=4
    ),
    object_fault(
        "evidence_byte_changed",
        "One byte of an old object is another",
        _change_byte,
        count=1,
        older_days=14,
    ),
    object_fault(
        "evidence_deleted_old", "Two objects of two weeks ago were deleted", delete, **_OLD
    ),
    object_fault(
        "evidence_deleted_for_good",
        "Objects were deleted, and their versions with them",
        _delete_for_good,
        versions=True,
        **_OLD,
    ),
    object_fault(
        "evidence_bytes_gone", "Storage lists objects whose bytes are gone", _lose_bytes, count=2
    ),
    object_fault(
        "evidence_in_folder",
        "Objects were moved to a folder of the same bucket",
        _file_away,
        also=_in_folder,
        count=3,
    ),
    object_fault(
        "evidence_in_capitals",
        "Objects were written under a path in capitals",
        _write_capitals,
        also=_in_capitals,
        count=2,
    ),
    object_fault(
        "evidence_misplaced_old",
        "One tenant's old objects lie in the bucket of an older release",
        misplace,
        also=_in_other,
        count=2,
        older_days=14,
        tenant="harbourlight",
    ),
    row_fault(
        "evidence_hash_prefixed",
        "A client wrote sha256: before the hashes of bundles",
        f"update mission_artifacts set hash = 'sha256:' || hash where id in {_BUNDLES}",
        tables=ARTIFACTS,
    ),
    row_fault(
        "evidence_hash_lost",
        "Rows lost their hash",
        f"update mission_artifacts set hash = null where id in {_OUTPUTS}",
        tables=ARTIFACTS,
    ),
    row_fault(
        "evidence_hash_of_other",
        "Rows name the hash of another output of their mission",
        _OTHER_ROW,
        tables=ARTIFACTS,
    ),
    refused_uploads(
        "evidence_too_large",
        "The bucket takes 10 bytes at most, and uploads were refused",
        rules={"file_size_limit": 10},
    ),
    refused_uploads(
        "evidence_refused_twice",
        "The bucket takes small pictures only, and uploads were refused some hours ago",
        rules={"allowed_mime_types": ["image/*"], "file_size_limit": 10},
        ago="5 hours",
    ),
    refused_uploads(
        "evidence_never_sent",
        "Rows say where their objects are, and nothing was ever uploaded",
        rules=None,
    ),
)
