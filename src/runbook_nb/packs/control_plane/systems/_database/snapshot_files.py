"""Sealed snapshots: rows kept outside of the database, hashed and signed, and never shown.

A snapshot is a folder with ``rows.jsonl``, one row a line, ``manifest.json``, which counts them and
holds their hash, and ``manifest.sig``. Only who may read the folder sees what a row says.
"""

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from runbook_nb.errors import NothingDoneError
from runbook_nb.probes.calls import Systems
from runbook_nb.runbook.keys import Seal, is_signed

ROWS: Final = "rows.jsonl"
MANIFEST: Final = "manifest.json"
SIGNATURE: Final = "manifest.sig"
_OURS: Final = 0o700


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """A snapshot whose hash and signature were found right."""

    folder: Path
    manifest: Mapping[str, Any]

    def rows(self) -> dict[tuple[str, str], Mapping[str, Any]]:
        """Return the rows by their table and id."""
        lines = (self.folder / ROWS).read_text(encoding="utf-8").splitlines()
        kept = (json.loads(line) for line in lines)
        return {(one["table"], one["id"]): one["row"] for one in kept}


def place_of(systems: Systems) -> Path:
    """Return the folder of all snapshots; raises SettingMissingError without the setting."""
    return Path(systems.setting("snapshots", "folder"))


def write_snapshot(
    place: Path, lines: Iterable[Mapping[str, Any]], about: Mapping[str, Any], seal: Seal
) -> Snapshot:
    """Write a snapshot whole or not at all; raises NothingDoneError without a key to sign with."""
    if seal.key is None:
        message = f"A snapshot is signed, and there is no key for it. {seal.reason}"
        raise NothingDoneError(message)
    place.mkdir(mode=_OURS, parents=True, exist_ok=True)
    text = "".join(f"{json.dumps(line, sort_keys=True)}\n" for line in lines)
    digest = hashlib.sha256(text.encode()).hexdigest()
    name = f"{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}-{digest[:12]}"
    unfinished = place / f".{name}"
    unfinished.mkdir(mode=_OURS)
    manifest = {
        **about,
        "rows_sha256": digest,
        "public_key": seal.public_key.hex(),
        "signed_by": seal.fingerprint,
    }
    said = json.dumps(manifest, sort_keys=True, indent=1).encode()
    _write(unfinished / ROWS, text.encode())
    _write(unfinished / MANIFEST, said)
    _write(unfinished / SIGNATURE, seal.key.sign(said).hex().encode())
    unfinished.rename(place / name)
    return Snapshot(folder=place / name, manifest=manifest)


def snapshot_folders(place: Path) -> list[Path]:
    """Return the folders of all snapshots, the newest first."""
    if not place.is_dir():
        return []
    return sorted((one for one in place.iterdir() if one.name[0] != "."), reverse=True)


def problem_of(folder: Path) -> str:
    """Say what is wrong with a snapshot; nothing where it is whole, unaltered and signed."""
    try:
        said = (folder / MANIFEST).read_bytes()
        manifest = json.loads(said)
        signature = bytes.fromhex((folder / SIGNATURE).read_text(encoding="ascii"))
        public = bytes.fromhex(manifest["public_key"])
        digest = hashlib.sha256((folder / ROWS).read_bytes()).hexdigest()
    except (OSError, ValueError, KeyError) as error:
        return f"cannot be read: {type(error).__name__}"
    if not is_signed(said, signature=signature, public=public):
        return "the signature does not fit the manifest"
    return "" if digest == manifest["rows_sha256"] else "the rows are not those that were sealed"


def newest_snapshot(systems: Systems) -> Snapshot:
    """Return the newest snapshot, proven anew; raises NothingDoneError where there is none."""
    folders = snapshot_folders(place_of(systems))
    problem = problem_of(folders[0]) if folders else "there is none"
    if problem:
        message = f"Nothing is changed before it is sealed, and of the newest snapshot: {problem}."
        raise NothingDoneError(message)
    manifest = json.loads((folders[0] / MANIFEST).read_text(encoding="utf-8"))
    return Snapshot(folder=folders[0], manifest=manifest)


def demand_sealed(systems: Systems, wanted: Iterable[tuple[str, str]]) -> Snapshot:
    """Return the newest snapshot, if each of these rows, by table and id, is in it.

    Raises NothingDoneError with how many are missing.
    """
    snapshot = newest_snapshot(systems)
    missing = set(wanted) - snapshot.rows().keys()
    if missing:
        message = (
            f"{len(missing)} of the rows to change are not in {snapshot.folder.name}: "
            "seal them first. Nothing was changed."
        )
        raise NothingDoneError(message)
    return snapshot


def _write(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
