"""A real PostgreSQL server in a folder, started, stopped and cleaned up by us."""

import shutil
import signal
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import ClassVar

from runbook_nb.errors import DatabaseServerError
from runbook_nb.timeline.store.embedded.binaries import demand_same_major, programs_for
from runbook_nb.timeline.store.embedded.cluster import (
    ENVIRONMENT,
    demand_kind,
    make_cluster,
    prepare_home,
    write_settings,
)
from runbook_nb.timeline.store.embedded.files import ensure_secret, locked, read_secret
from runbook_nb.timeline.store.embedded.postmaster import (
    Postmaster,
    answers,
    free_port,
    lines_of,
    port_is_free,
    read_postmaster,
    server_command,
    serves,
    settings,
)
from runbook_nb.timeline.store.embedded.processes import (
    ProcessIdentity,
    ServerAccount,
    command_of,
    commands,
    end,
    explain,
    identify,
    server_account,
    start_detached,
    wait_until,
)

_START_WITHIN_S = 30.0
_STOP_WITHIN_S = 5.0
_ORPHANS_LEAVE_WITHIN_S = 1.0
_PORT_ATTEMPTS = 5
_LAST_WORDS_LENGTH = 800


class PostgresServer:
    """One PostgreSQL server with its data and its socket in ``folder``/postgres.

    As root the server runs as `nobody`, who must be able to enter ``folder``. It outlives the
    process that started it: `stop` ends it, from any process. ``begun_by`` and ``way_out`` are what
    errors say of who starts it, and of another folder; ``parts`` are the folders that it writes to
    beside its data. What a server of one ``kind`` wrote, another kind does not start. A server that
    is ``durable`` keeps what it confirmed whatever falls.
    """

    kind: ClassVar = "store"
    begun_by: ClassVar = "`runbook serve` starts it"
    way_out: ClassVar = "Put it elsewhere, as XDG_DATA_HOME=/var/lib/runbook."
    parts: ClassVar[tuple[str, ...]] = ("socket",)
    durable: ClassVar = True

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self.log = self.folder / "postgres.log"
        self.home = self.folder / "postgres"
        self._data = self.home / "data"
        self._last_port = self.folder / "postgres.port"

    @property
    def running(self) -> bool:
        """Tell whether the server runs and accepts connections."""
        postmaster = self._postmaster()
        return postmaster is not None and postmaster.ready and answers(postmaster.port)

    @property
    def pid(self) -> int:
        """The pid of the running server; DatabaseServerError when it does not run."""
        return self._running_postmaster().pid

    @property
    def port(self) -> int:
        """The TCP port on 127.0.0.1; DatabaseServerError when the server does not run."""
        return self._running_postmaster().port

    @property
    def identity(self) -> ProcessIdentity | None:
        """The process of the server, ready or not, or None."""
        postmaster = self._postmaster()
        return None if postmaster is None else identify(postmaster.pid)

    def dsn(
        self, user: str = "postgres", database: str = "postgres", password: str | None = None
    ) -> str:
        """Return a TCP connection string; without ``password`` the one kept here is used."""
        port = self.port
        secret = password or read_secret(self.folder, f"{user}.password")
        return f"postgresql://{user}:{secret}@127.0.0.1:{port}/{database}"

    def binary(self, name: str) -> Path:
        """Return the path of a PostgreSQL program that the server's account can run."""
        return self._programs(server_account()) / name

    def start(self) -> None:
        """Start the server on the data it has, and return when it accepts connections.

        What a killed server left is cleaned first. DatabaseServerError says why it cannot start.
        """
        try:
            self.folder.mkdir(mode=0o711, parents=True, exist_ok=True)
            with locked(self.folder / "postgres.lock"):
                if not self.running:
                    self._start()
        except OSError as error:
            raise DatabaseServerError(
                f"PostgreSQL could not be started: {explain(error)}"
            ) from error

    def stop(self) -> None:
        """Stop the server; clients are cut off, and what has not ended in 5 s is killed."""
        identity = self.identity
        if identity is not None:
            # PostgreSQL's fast stop, with a checkpoint; then its immediate one, without.
            end(identity, grace_s=_STOP_WITHIN_S, asking=(signal.SIGINT, signal.SIGQUIT))
        self._end_remains()

    def discard(self) -> None:
        """Delete the data of a stopped server; the next start begins empty."""
        if self.identity is not None:
            raise DatabaseServerError(
                f"PostgreSQL in {self.folder} runs; stop it before its data go."
            )
        for part in ("data", *self.parts):
            shutil.rmtree(self.home / part, ignore_errors=True)

    def settings(self) -> Mapping[str, str]:
        """Return the settings of postgresql.conf that this server has."""
        return settings(home=self.home)

    def prepare(self) -> None:
        """Make the folders that the server writes to."""
        self.folder.mkdir(mode=0o711, parents=True, exist_ok=True)
        prepare_home(self.home, parts=self.parts, account=server_account(), way_out=self.way_out)

    def _start(self) -> None:
        account = server_account()
        self._end_remains()
        self.prepare()
        password = ensure_secret(self.folder, "postgres.password")
        if not self._data.exists():
            make_cluster(
                self.home,
                initdb=self._programs(account) / "initdb",
                account=account,
                password=password,
                kind=self.kind,
                durable=self.durable,
            )
        demand_kind(self._data, self.kind)
        demand_same_major(self._data)
        write_settings(self._data, lines_of(self.settings()), kind=self.kind)
        self._launch(account)

    def _postmaster(self) -> Postmaster | None:
        """Read who serves this folder; a stale lock file, or another's process, is nobody."""
        postmaster = read_postmaster(self._data)
        if postmaster is None or identify(postmaster.pid) is None:
            return None
        return postmaster if serves(command_of(postmaster.pid), data=self._data) else None

    def _running_postmaster(self) -> Postmaster:
        postmaster = self._postmaster()
        if postmaster is None:
            raise DatabaseServerError(f"PostgreSQL in {self.folder} does not run; {self.begun_by}.")
        return postmaster

    def _remains(self) -> list[ProcessIdentity]:
        """List all processes of this server: when the first was killed, sessions may live on."""
        pids = [pid for pid, command in commands().items() if serves(command, data=self._data)]
        return [identity for pid in pids if (identity := identify(pid)) is not None]

    def _end_remains(self) -> None:
        """End what a killed server left: its sessions still hold its shared memory.

        Its lock files go too, as PostgreSQL takes a dead but unreaped server for a living one.
        """
        wait_until(lambda: not self._remains(), within_s=_ORPHANS_LEAVE_WITHIN_S)
        for identity in self._remains():
            end(identity, grace_s=0, asking=())
        for lock in (self._data / "postmaster.pid", *self.home.glob("socket/.s.PGSQL.*")):
            lock.unlink(missing_ok=True)

    def _programs(self, account: ServerAccount | None) -> Path:
        return programs_for(account, copy=self.folder / "binaries")

    def _launch(self, account: ServerAccount | None) -> None:
        """Start the server process; a port that was taken meanwhile is replaced by another."""
        last_words = ""
        for _ in range(_PORT_ATTEMPTS):
            port = self._choose_port()
            last_words = self._try_port(port, account)
            if not last_words:
                self._last_port.write_text(str(port))
                return
            if "Address already in use" not in last_words:
                break
        raise DatabaseServerError(f"PostgreSQL could not be started. Its last words:\n{last_words}")

    def _try_port(self, port: int, account: ServerAccount | None) -> str:
        """Start on ``port``; return nothing when it runs, else its last words."""
        log_begin = self.log.stat().st_size if self.log.exists() else 0
        identity = start_detached(
            server_command(
                program=self._programs(account) / "postgres", data=self._data, port=port
            ),
            log=self.log,
            account=account,
            environment=ENVIRONMENT,
        )
        wait_until(lambda: self.running or not identity.alive, within_s=_START_WITHIN_S)
        if self.running:
            return ""
        end(identity, grace_s=_STOP_WITHIN_S, asking=(signal.SIGQUIT,))
        said = self.log.read_bytes()[log_begin:].decode(errors="replace").strip()
        return said[-_LAST_WORDS_LENGTH:] or f"(nothing within {_START_WITHIN_S:.0f} s)"

    def _choose_port(self) -> int:
        """Take the port of the last start again if it is free: clients may still know it."""
        with suppress(OSError, ValueError):
            last = int(self._last_port.read_text())
            if port_is_free(last):
                return last
        return free_port()
