"""Where restores happen: the programs, the backups, the archived log, the folder of the copy."""

import json
import os
import pwd
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runbook_nb.errors import NoAnswerError
from runbook_nb.packs.control_plane.systems._database.backup_files import (
    COMPLETED,
    LOG_BYTES,
    MANIFEST,
    is_segment,
)
from runbook_nb.probes.calls import Systems


@dataclass(frozen=True, kw_only=True)
class Backup:
    """A completed backup with its files: the first segment it needs, and the segments' size."""

    data: Path
    wal_first: str
    segment_bytes: int
    size_bytes: int

    def number(self, segment: str) -> int:
        """Return the place of a segment in the log."""
        per_log = LOG_BYTES // self.segment_bytes
        return int(segment[8:16], 16) * per_log + int(segment[16:24], 16)


@dataclass(frozen=True, kw_only=True)
class Place:
    """The folders of one environment; ``run_as`` is the account that runs the copy, or nothing."""

    programs: Path
    base: Path
    wal: Path
    scratch: Path
    run_as: str

    @classmethod
    def of(cls, systems: Systems) -> "Place":
        """Read the settings under ``backup``; raises SettingMissingError."""
        return cls(
            programs=Path(systems.setting("backup", "bin")),
            base=Path(systems.setting("backup", "base")),
            wal=Path(systems.setting("backup", "wal")),
            scratch=Path(systems.setting("backup", "scratch")),
            run_as=systems.setting("backup", "run_as"),
        )

    @property
    def copy(self) -> Path:
        """The folder of the restored copy: its data, its part of the log, its server's words."""
        return self.scratch / "copy"

    def newest_backup(self) -> Backup:
        """Return the newest completed backup that has its files."""
        for file in sorted(self.base.glob(f"*/{MANIFEST}"), reverse=True):
            said = json.loads(file.read_text(encoding="utf-8"))
            if said["status"] == COMPLETED and (file.parent / "data").is_dir():
                return Backup(
                    data=file.parent / "data",
                    wal_first=said["wal_first"],
                    segment_bytes=int(said["wal_segment_bytes"]),
                    size_bytes=int(said["size_bytes"]),
                )
        message = f"No completed backup with its files is in {self.base}."
        raise NoAnswerError(message)

    def archived(self, backup: Backup) -> dict[int, Path]:
        """Return the archived segments that follow a backup, by their place in the log."""
        first = backup.number(backup.wal_first)
        found = {
            backup.number(file.name): file for file in self.wal.iterdir() if is_segment(file.name)
        }
        return {number: found[number] for number in sorted(found) if number >= first}

    def proofs(self) -> list[dict[str, Any]]:
        """Return what each restore proved, the newest last."""
        try:
            lines = (self.scratch / "restores.jsonl").read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return []
        return [json.loads(line) for line in lines if line.strip()]

    def keep_proof(self, proof: Mapping[str, Any]) -> None:
        """Add what a restore proved to the list."""
        self.scratch.mkdir(parents=True, exist_ok=True)
        with (self.scratch / "restores.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(proof, default=str) + "\n")

    def give(self, *paths: Path) -> None:
        """Hand files over to the account that runs the copy."""
        if self.run_as:
            account = pwd.getpwnam(self.run_as)
            for path in paths:
                os.chown(path, account.pw_uid, account.pw_gid, follow_symlinks=False)
