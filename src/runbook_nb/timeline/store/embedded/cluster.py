"""The folders of a PostgreSQL server, and the making of its empty data directory."""

import os
import shutil
import stat
import subprocess
from collections.abc import Iterable
from pathlib import Path

from runbook_nb.errors import DatabaseServerError
from runbook_nb.timeline.store.embedded.processes import ServerAccount

# PG* variables of our own environment would change what the programs do.
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}


def prepare_home(
    home: Path, *, parts: Iterable[str], account: ServerAccount | None, way_out: str
) -> None:
    """Make the folders that the server writes to, ``parts`` of ``home``, open to its account alone.

    DatabaseServerError with ``way_out`` when the account cannot come there: folders that are not
    ours are not opened.
    """
    closed = [folder for folder in home.parents if not _may_enter(folder, account)]
    if account is not None and closed:
        raise DatabaseServerError(
            f"User '{account.name}', who runs PostgreSQL for root, may not enter {closed[0]}. "
            f"{way_out}"
        )
    for folder in (home, *(home / part for part in parts)):
        folder.mkdir(mode=0o700, exist_ok=True)
        _give(folder, account)


def make_cluster(
    home: Path,
    *,
    initdb: Path,
    account: ServerAccount | None,
    password: str,
    kind: str,
    durable: bool,
) -> None:
    """Make the data directory `data` in ``home``; it gets its name only when it is whole.

    It is of a ``kind``, whose settings it reads, and of no other. One that is ``durable`` outlives
    a fall of the whole machine.
    """
    unfinished = home / "unfinished"
    shutil.rmtree(unfinished, ignore_errors=True)
    password_file = home / "initial.password"
    password_file.unlink(missing_ok=True)
    password_file.touch(mode=0o600)
    try:
        password_file.write_text(password)
        _give(password_file, account)
        _run_initdb(
            initdb, unfinished, password_file=password_file, account=account, durable=durable
        )
    finally:
        password_file.unlink()
    with (unfinished / "postgresql.conf").open("a") as configuration:
        configuration.write(f"include '{_file_of(kind)}'\n")
    write_settings(unfinished, "", kind=kind)
    unfinished.rename(home / "data")


def demand_kind(data: Path, kind: str) -> None:
    """Raise DatabaseServerError where a data directory was made for another kind of server.

    It would lose what that one gave it: an archive of its log, or that it waits for the disk.
    """
    if not (data / _file_of(kind)).exists():
        raise DatabaseServerError(f"The data in {data} are not of a {kind}, and are left alone.")


def write_settings(data: Path, settings: str, *, kind: str) -> None:
    """Give a data directory the settings of its server; a copied one has those of another."""
    file = data / _file_of(kind)
    file.write_text(settings)
    # Nothing in it is secret, the folder is closed, and another account has to read it.
    file.chmod(0o644)


def _file_of(kind: str) -> str:
    return f"{kind}.conf"


def _run_initdb(
    initdb: Path,
    data: Path,
    *,
    password_file: Path,
    account: ServerAccount | None,
    durable: bool,
) -> None:
    command: list[str | Path] = [
        initdb, "--pgdata", data, "--username=postgres", "--pwfile", password_file,
        "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C",
        "--locale-provider=builtin", "--builtin-locale=C.UTF-8",
        # A server that is killed would leave posix segments behind in /dev/shm.
        "--set=dynamic_shared_memory_type=mmap",
        # Small files, as each is archived whole.
        "--wal-segsize=4", "--no-instructions", *(() if durable else ("--no-sync",)),
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
        raise DatabaseServerError(f"The database could not be made: {done.stderr.strip()}")


def _may_enter(folder: Path, account: ServerAccount | None) -> bool:
    found = folder.stat()
    if account is None or found.st_mode & stat.S_IXOTH:
        return True
    return found.st_uid == account.uid and bool(found.st_mode & stat.S_IXUSR)


def _give(path: Path, account: ServerAccount | None) -> None:
    if account is not None:
        os.chown(path, account.uid, account.gid)
