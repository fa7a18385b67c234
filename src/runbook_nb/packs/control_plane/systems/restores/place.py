"""Where restores happen: the programs, the backups, the archived log, and a folder for the copy."""

import json
import os
import pwd
import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from runbook_nb.errors import NoAnswerError
from runbook_nb.probes import secrets
from runbook_nb.probes.calls import Systems

_SEGMENT: Final = re.compile(r"[0-9A-F]{24}")
_LOG_BYTES: Final = 2**32


@dataclass(frozen=True, kw_only=True)
class Backup:
    """A completed backup with its files: the first segment it needs, and the segments' size."""

    data: Path
    wal_first: str
    segment_bytes: int
    size_bytes: int

    def number(self, segment: str) -> int:
        """Return the place of a segment in the log."""
        per_log = _LOG_BYTES // self.segment_bytes
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
        for file in sorted(self.base.glob("*/backup.json"), reverse=True):
            said = json.loads(file.read_text(encoding="utf-8"))
            if said["status"] == "COMPLETED" and (file.parent / "data").is_dir():
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
        found = {backup.number(file.name): file for file in self.wal.iterdir() if is_segment(file)}
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


def is_segment(file: Path) -> bool:
    """Tell whether a file is a whole segment, and no history, label or part."""
    return _SEGMENT.fullmatch(file.name) is not None


def run(
    command: Sequence[str | Path],
    *,
    timeout_s: float,
    environment: Mapping[str, str] | None = None,
) -> "subprocess.CompletedProcess[str]":
    """Run one of PostgreSQL's programs; variables of our own shell do not reach it."""
    return subprocess.run(
        [str(word) for word in command],
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
        env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC", **(environment or {})},
        timeout=timeout_s,
    )


def secret(systems: Systems, system: str, name: str) -> str:
    """Return the value that a secret setting refers to, for a program that must log in."""
    of = f"{name!r} of {system!r}"
    return secrets.resolve(systems.setting(system, name), of=of).get_secret_value()


def moment(text: str) -> datetime:
    """Return the aware time of ISO 8601 text, UTC where no zone is named; raises ValueError."""
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)
