"""The lab as a whole: up, down, and how it is."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from runbook_nb.errors import DatabaseServerError, LabError
from runbook_nb.packs.control_plane.lab.backups import forget_backups, is_taken
from runbook_nb.packs.control_plane.lab.environment import (
    HEARTBEAT_INTERVAL_S,
    SNAPSHOTS,
    write_environment,
    write_secrets,
)
from runbook_nb.packs.control_plane.lab.fleet import Fleet
from runbook_nb.packs.control_plane.lab.inspection import is_healthy, listens
from runbook_nb.packs.control_plane.lab.postgres import LabPostgres
from runbook_nb.packs.control_plane.lab.state import (
    LabState,
    Part,
    forget_state,
    read_state,
    write_state,
)
from runbook_nb.probes.lab_settings import forget_lab_settings, lab_folder
from runbook_nb.timeline.store.embedded.files import locked, read_secret
from runbook_nb.timeline.store.embedded.processes import explain, wait_until

__all__ = ["Lab", "LabState", "Part"]

_LOCK = "lab.lock"
_BACKUP_WITHIN_S = 60.0
# A folder with one of these is a lab; another one that is not empty is left alone.
_MARKS = (_LOCK, "postgres.lock")


def _in_silence(_step: str) -> None:
    """Tell nobody."""


class Lab:
    """The staging twin in one folder: the database, the platform's services, its partners."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = (folder or lab_folder()).resolve()
        self.postgres = LabPostgres(self.folder)
        self._fleet = Fleet(folder=self.folder)

    def up(self, *, progress: Callable[[str], None] = _in_silence) -> LabState:
        """Return the running lab; one that is down or half dead is started on fresh rows.

        ``progress`` is told each step in words. LabError says why the lab cannot start; then no
        part of it is left running.
        """
        try:
            self._claim_folder()
            with self._alone(progress):
                state = self.status()
                if state is not None and state.healthy:
                    return state
                return self._start_afresh(progress)
        except DatabaseServerError as error:
            raise LabError(str(error)) from error
        except OSError as error:
            raise LabError(f"The lab could not be started: {explain(error)}") from error
        except ImportError as error:
            raise LabError(
                f"The lab could not be started: {error}. Install it: pip install 'runbook-nb[lab]'"
            ) from error

    def down(self) -> None:
        """End every process of the lab and delete its rows and secrets; the logs stay."""
        if not self.folder.exists():
            return
        try:
            self._claim_folder()
            with self._alone(_in_silence):
                self._end_all()
                shutil.rmtree(self.folder / "secrets", ignore_errors=True)
        except DatabaseServerError as error:
            raise LabError(str(error)) from error
        except OSError as error:
            raise LabError(f"The lab could not be stopped: {explain(error)}") from error

    def status(self) -> LabState | None:
        """Look at every part now; None when no lab was started in this folder."""
        state = read_state(self.folder)
        return None if state is None else replace(state, parts=self._look_at(state))

    def dsn(self, user: str = "postgres") -> str:
        """Return the connection string of a database role, with its password."""
        return self.postgres.dsn(user)

    def secret(self, name: str) -> str:
        """Return a secret of the lab by its file's name, as `fly.token`."""
        return read_secret(self.folder, name)

    def _claim_folder(self) -> None:
        """Make the folder, or check that it is a lab of ours."""
        try:
            self.folder.mkdir(mode=0o711, parents=True)
        except FileExistsError:
            owner = self.folder.stat().st_uid
            if owner != os.geteuid():
                raise LabError(
                    f"{self.folder} belongs to user {owner}, not to you; "
                    "choose another folder with RUNBOOK_LAB."
                ) from None
            if any(self.folder.iterdir()) and not any((self.folder / m).exists() for m in _MARKS):
                raise LabError(
                    f"{self.folder} is neither empty nor a lab; "
                    "choose another folder with RUNBOOK_LAB."
                ) from None
        # The server's account must pass through, and nobody else may list what is here.
        self.folder.chmod(0o711)

    @contextmanager
    def _alone(self, progress: Callable[[str], None]) -> Iterator[None]:
        """Let one process at a time start or stop the lab."""
        with locked(
            self.folder / _LOCK,
            on_wait=lambda: progress("Another process starts or stops this lab: waiting for it."),
        ):
            yield

    def _start_afresh(self, progress: Callable[[str], None]) -> LabState:
        """Start on fresh rows, whatever was left before; on failure leave nothing running."""
        self._end_all()
        try:
            return self._start(progress)
        except BaseException:
            self._end_all()
            raise

    def _start(self, progress: Callable[[str], None]) -> LabState:
        for log in self.folder.glob("*.log"):
            log.unlink()
        # The driver and the seed take time to import, and asking how the lab is needs neither.
        from runbook_nb.packs.control_plane.lab.database import start_database

        start_database(self.postgres, progress=progress)
        write_secrets(self.postgres)
        progress("Starting the agent, the pages, the partners and eight browsers")
        services, ports = self._fleet.start(heartbeat_interval_s=HEARTBEAT_INTERVAL_S)
        write_environment(self.folder, ports)
        # Without it a restore has nothing to begin with, and a loss looks like a beginning.
        if not wait_until(lambda: is_taken(self.folder), within_s=_BACKUP_WITHIN_S):
            raise LabError(f"No backup of the lab was taken; see {self._fleet.log}.")
        write_state(
            LabState(
                folder=self.folder,
                postgres_pid=self.postgres.pid,
                postgres_port=self.postgres.port,
                services=services,
                ports=ports,
                started_at=datetime.now(UTC),
                heartbeat_interval_s=HEARTBEAT_INTERVAL_S,
            )
        )
        state = self.status()
        if state is None or not state.healthy:
            raise LabError(f"The lab in {self.folder} came up and fell over; see its services.log.")
        return state

    def _look_at(self, state: LabState) -> tuple[Part, ...]:
        emulators = [port for name, port in state.ports.items() if name != "agent"]
        return (
            Part(
                name="postgres",
                running=self.postgres.identity is not None,
                answers=self.postgres.running and self.postgres.port == state.postgres_port,
            ),
            Part(
                name="services",
                running=state.services.alive,
                answers=all(map(listens, emulators)),
            ),
            Part(
                name="agent",
                running=bool(self._fleet.agents()),
                answers=is_healthy(state.ports["agent"]),
            ),
        )

    def _end_all(self) -> None:
        """End whatever runs, in whatever state it was left, and delete the rows."""
        forget_state(self.folder)
        forget_lab_settings(self.folder)
        self._fleet.end()
        forget_backups(self.folder)
        shutil.rmtree(self.folder / SNAPSHOTS, ignore_errors=True)
        self.postgres.stop()
        self.postgres.discard()
