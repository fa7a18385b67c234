"""The folders of a PostgreSQL server, and the making of its empty data directory."""

import os
import shutil
import stat
import subprocess
from pathlib import Path

from runbook_nb.errors import LabError
from runbook_nb.packs.control_plane.lab.processes import ServerAccount

# PG* variables of our own environment would change what the programs do.
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}

_EXTENSIONS = Path(__file__).parent / "extensions"
_SETTINGS = "lab.conf"


def copy_extensions(folder: Path) -> Path:
    """Copy our extensions below the lab's folder, where the server's account can read them."""
    copied = folder / "extensions"
    shutil.rmtree(copied, ignore_errors=True)
    shutil.copytree(_EXTENSIONS, copied, copy_function=shutil.copyfile)
    for path in (copied, *copied.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    return copied


def prepare_home(home: Path, *, account: ServerAccount | None) -> None:
    """Make the folders that the server writes to, open to its account alone.

    LabError when the account cannot come there: we do not open folders that are not the lab's.
    """
    closed = [folder for folder in home.parents if not _may_enter(folder, account)]
    if account is not None and closed:
        raise LabError(
            f"User '{account.name}', who runs PostgreSQL for root, may not enter {closed[0]}. "
            "Put the lab elsewhere, as RUNBOOK_LAB=/tmp/runbook-lab."
        )
    for folder in (home, home / "socket", home / "archive"):
        folder.mkdir(mode=0o700, exist_ok=True)
        _give(folder, account)


def make_cluster(home: Path, *, initdb: Path, account: ServerAccount | None, password: str) -> None:
    """Make the data directory `data` in ``home``; it gets its name only when it is whole."""
    unfinished = home / "unfinished"
    shutil.rmtree(unfinished, ignore_errors=True)
    password_file = home / "initial.password"
    password_file.unlink(missing_ok=True)
    password_file.touch(mode=0o600)
    try:
        password_file.write_text(password)
        _give(password_file, account)
        _run_initdb(initdb, unfinished, password_file=password_file, account=account)
    finally:
        password_file.unlink()
    with (unfinished / "postgresql.conf").open("a") as configuration:
        configuration.write(f"include '{_SETTINGS}'\n")
    unfinished.rename(home / "data")


def write_settings(data: Path, settings: str) -> None:
    """Give a data directory the settings of its server; a copied one has those of another."""
    (data / _SETTINGS).write_text(settings)


def _run_initdb(
    initdb: Path, data: Path, *, password_file: Path, account: ServerAccount | None
) -> None:
    command: list[str | Path] = [
        initdb, "--pgdata", data, "--username=postgres", "--pwfile", password_file,
        "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C",
        "--locale-provider=builtin", "--builtin-locale=C.UTF-8",
        # A server that is killed would leave posix segments behind in /dev/shm.
        "--set=dynamic_shared_memory_type=mmap",
        # Small files, as each is archived whole.
        "--wal-segsize=4", "--no-sync", "--no-instructions",
    ]  # fmt: skip
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
        env=ENVIRONMENT,
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
    )
    if done.returncode != 0:
        raise LabError(f"The database could not be made: {done.stderr.strip()}")


def _may_enter(folder: Path, account: ServerAccount | None) -> bool:
    found = folder.stat()
    if account is None or found.st_mode & stat.S_IXOTH:
        return True
    return found.st_uid == account.uid and bool(found.st_mode & stat.S_IXUSR)


def _give(path: Path, account: ServerAccount | None) -> None:
    if account is not None:
        os.chown(path, account.uid, account.gid)
