"""The restored copy: a second PostgreSQL server on a backup's files and the log after it.

It listens on a socket in a folder of its own, lets only this account in, archives nothing and
begins every transaction read-only: it cannot reach the platform, and nobody can take it for it.
"""

import json
import os
import pwd
import shlex
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from runbook_nb.errors import ActionError
from runbook_nb.packs.control_plane.systems.restores._log import Log
from runbook_nb.packs.control_plane.systems.restores._place import Backup, Place
from runbook_nb.probes.connections import Database

# A copy needs the backup's own size, and room for what recovery writes.
_ROOM: Final = 1.2
_STEP_S: Final = 0.05
_LAST_WORDS: Final = 600
_RECORD: Final = "copy.json"

RECOVERING: Final = "select pg_is_in_recovery() as recovering"


@dataclass(frozen=True, kw_only=True)
class Copy:
    """A restored copy: its server's process, the folder of its socket, and its superuser."""

    pid: int
    socket: str
    user: str

    def database(self, *, timeout_s: float = 300) -> Database:
        """Connect to the copy, reading only."""
        dsn = f"host={self.socket} port=5432 user={self.user} dbname=postgres"
        return Database(dsn, read_only=True, timeout_s=timeout_s, asked=[])

    @property
    def running(self) -> bool:
        """Tell whether its server runs."""
        with suppress(ChildProcessError):
            os.waitpid(self.pid, os.WNOHANG)
        return (Path(self.socket) / ".s.PGSQL.5432").exists() and _alive(self.pid)


def found(place: Place) -> Copy | None:
    """Return the copy that runs, or None."""
    try:
        copy = Copy(**json.loads((place.copy / _RECORD).read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    return copy if copy.running else None


def room(place: Place, backup: Backup) -> dict[str, int]:
    """Return what is needed and free in MB; raises ActionError where the copy does not fit."""
    there = next(each for each in (place.copy, *place.copy.parents) if each.exists())
    sizes = {
        "needed_mb": round(backup.size_bytes * _ROOM / 1e6),
        "free_mb": round(shutil.disk_usage(there).free / 1e6),
    }
    if sizes["needed_mb"] > sizes["free_mb"]:
        message = (
            f"{place.scratch} has {sizes['free_mb']} MB free; {sizes['needed_mb']} MB are needed."
        )
        raise ActionError(message)
    return sizes


def make(
    place: Place, backup: Backup, log: Log, *, target: Mapping[str, str], user: str, within_s: float
) -> Copy:
    """Start a server on a copy of the backup and return once it has replayed up to the target."""
    data = place.copy / "data"
    shutil.copytree(backup.data, data, symlinks=True)
    (data / "recovery.signal").touch()
    place.give(place.copy, data, *data.rglob("*"))
    data.chmod(0o700)
    socket = Path(tempfile.mkdtemp(prefix="restored-"))
    socket.chmod(0o711)
    place.give(socket)
    settings = {**_settings(place, log, socket=socket, user=user), **target}
    pid = _start(place, data, settings)
    copy = Copy(pid=pid, socket=str(socket), user=user)
    (place.copy / _RECORD).write_text(json.dumps(asdict(copy)), encoding="utf-8")
    _await_end_of_recovery(place, copy, within_s=within_s)
    return copy


def remove(place: Place) -> bool:
    """End the copy's server and delete its files; tell whether there was one."""
    there = place.copy.exists()
    with suppress(FileNotFoundError):
        copy = Copy(**json.loads((place.copy / _RECORD).read_text(encoding="utf-8")))
        _end(copy)
        shutil.rmtree(copy.socket, ignore_errors=True)
    shutil.rmtree(place.copy, ignore_errors=True)
    return there


def _settings(place: Place, log: Log, *, socket: Path, user: str) -> dict[str, str]:
    who = pwd.getpwuid(os.geteuid()).pw_name
    access, names = place.copy / "access.conf", place.copy / "names.conf"
    access.write_text("local all all peer map=restore\n", encoding="utf-8")
    names.write_text(f"restore {who} {user}\n", encoding="utf-8")
    place.give(access, names)
    fetch = shlex.quote(str(log.folder)).replace("%", "%%") + "/%f"
    return {
        "listen_addresses": "",
        "unix_socket_directories": str(socket),
        "hba_file": str(access),
        "ident_file": str(names),
        "restore_command": f"cp {fetch} %p",
        "archive_mode": "off",
        "default_transaction_read_only": "on",
        "recovery_target_action": "promote",
        # Without its libraries no job of the copy can run, and purge what was just restored.
        "shared_preload_libraries": "",
        "logging_collector": "off",
    }


def _start(place: Place, data: Path, settings: Mapping[str, str]) -> int:
    account = pwd.getpwnam(place.run_as) if place.run_as else None
    with (place.copy / "server.log").open("ab") as log:
        return subprocess.Popen(
            [
                *(str(place.programs / "postgres"), "-D", str(data), "-p", "5432"),
                *(word for name, value in settings.items() for word in ("-c", f"{name}={value}")),
            ],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",
            env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
            start_new_session=True,
            user=account.pw_uid if account else None,
            group=account.pw_gid if account else None,
            extra_groups=[] if account else None,
        ).pid


def _await_end_of_recovery(place: Place, copy: Copy, *, within_s: float) -> None:
    import psycopg

    ends = time.monotonic() + within_s
    while time.monotonic() < ends:
        with suppress(ChildProcessError):
            os.waitpid(copy.pid, os.WNOHANG)
        if not _alive(copy.pid):
            break
        with suppress(psycopg.OperationalError):
            database = copy.database(timeout_s=5)
            try:
                if not database.value(RECOVERING):
                    return
            finally:
                database.close()
        time.sleep(_STEP_S)
    said = (place.copy / "server.log").read_text(encoding="utf-8", errors="replace").strip()
    message = f"The copy did not reach its target. Its server's last words: {said[-_LAST_WORDS:]}"
    raise ActionError(message)


def _end(copy: Copy) -> None:
    for number in (signal.SIGINT, signal.SIGQUIT):
        if not _alive(copy.pid):
            return
        os.kill(copy.pid, number)
        for _ in range(100):
            with suppress(ChildProcessError):
                os.waitpid(copy.pid, os.WNOHANG)
            if not _alive(copy.pid):
                return
            time.sleep(_STEP_S)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


@contextmanager
def reading(copy: Copy) -> Iterator[Database]:
    """Connect to a copy for a while."""
    database = copy.database()
    try:
        yield database
    finally:
        database.close()
