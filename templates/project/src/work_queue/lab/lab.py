"""The lab: starts and ends the service, and breaks and heals it from outside."""

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import httpx

from runbook_nb import (
    Fault,
    LabError,
    LabPart,
    LabStatus,
    forget_lab_settings,
    lab_folder,
    write_lab_settings,
)
from work_queue.lab import service
from work_queue.lab.alert import ABOVE_S, NAME, webhook

PATIENCE_S = 60.0
POLL_S = 0.2
FILES = ("lock", "queue.db", "queue.db-journal", "service.json", "service.log")
CALM_S = 2.0  # the oldest job of a healthy queue has waited for less


class QueueLab:
    """The queue in this user's folder for labs."""

    def __init__(self) -> None:
        self._folder = lab_folder()

    def up(self, *, progress: Callable[[str], None]) -> LabStatus:
        """Start the service unless it runs; raises LabError when it does not answer in time."""
        state = self.status()
        if state and state.started:
            return state
        self.down()
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        progress("Starting the queue and a worker.")
        with (self._folder / "service.log").open("wb") as log:
            subprocess.Popen(
                [sys.executable, service.__file__, str(self._folder)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        for _ in _tries():
            state = self.status()
            if state and all(part.up for part in state.parts):
                write_lab_settings(self._folder, {"jobs": {"url": self._url()}})
                return state
        message = f"The queue did not start; {self._folder / 'service.log'} says why."
        self.down()
        raise LabError(message)

    def down(self) -> None:
        """End the service with its workers, and delete its data."""
        forget_lab_settings(self._folder)
        if self._is_running() and (told := self._told()):
            os.kill(told["pid"], signal.SIGTERM)
            for _ in _tries():
                if not self._is_running():
                    break
        for name in FILES:
            (self._folder / name).unlink(missing_ok=True)

    def status(self) -> LabStatus | None:
        """Look at the service; None where none was started."""
        told, is_running = self._told(), self._is_running()
        if told is None:
            return None
        part = LabPart(name="queue", running=is_running, answers=is_running and self._answers())
        ports, address = {"queue": told["port"]}, f"{self._url()}/queue"
        return LabStatus(parts=[part], started=is_running, ports=ports, address=address)

    def faults(self) -> Mapping[str, Fault]:
        """Return the faults by name."""
        gone = Fault(
            name="worker_gone",
            title="No worker runs",
            inject=self._kill_workers,
            heal=self._one_worker,
        )
        return {gone.name: gone}

    def wait_for_alerts(self) -> Mapping[str, Any]:
        """Wait until a job has waited for too long."""
        for _ in _tries():
            if self._longest_wait() > ABOVE_S:
                return webhook(is_firing=True)
        return webhook(is_firing=False)

    def wait_until_quiet(self) -> Sequence[str]:
        """Wait until a worker runs and no job waits for long."""
        wrong: list[str] = []
        for _ in _tries():
            wrong = [NAME] if self._longest_wait() > CALM_S else []
            wrong += [] if self._workers() else ["no worker"]
            if not wrong:
                break
        return wrong

    def _kill_workers(self) -> None:
        for pid in self._workers():
            os.kill(pid, signal.SIGKILL)
        for _ in _tries():
            if not self._workers():
                return

    def _one_worker(self) -> None:
        running = self._workers()
        for pid in running[1:]:
            self._ask("DELETE", f"/workers/{pid}")
        if not running:
            self._ask("POST", "/workers")

    def _workers(self) -> list[int]:
        pids: list[int] = self._ask("GET", "/workers")["pids"]
        return pids

    def _longest_wait(self) -> float:
        return float(self._ask("GET", "/queue")["longest_wait_s"])

    def _ask(self, method: str, path: str) -> dict[str, Any]:
        try:
            with httpx.Client(base_url=self._url(), trust_env=False) as client:
                answer: dict[str, Any] = client.request(method, path).raise_for_status().json()
        except httpx.HTTPError as error:
            message = f"The queue does not answer: {error}. Start it: runbook lab up"
            raise LabError(message) from error
        return answer

    def _answers(self) -> bool:
        try:
            self._ask("GET", "/workers")
        except LabError:
            return False
        return True

    def _url(self) -> str:
        told = self._told()
        if told is None:
            message = "The lab is not running. Start it with: runbook lab up"
            raise LabError(message)
        return f"http://127.0.0.1:{told['port']}"

    def _told(self) -> dict[str, Any] | None:
        """Return what the service says of itself once it listens."""
        try:
            told: dict[str, Any] = json.loads((self._folder / "service.json").read_text())
        except FileNotFoundError:
            return None
        return told

    def _is_running(self) -> bool:
        """Tell whether the service lives: it holds a lock until its end."""
        try:
            with (self._folder / "lock").open() as lock:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except FileNotFoundError:
            return False
        except BlockingIOError:
            return True
        return False


def _tries() -> Iterator[None]:
    """Go on for as long as patience lasts, with a pause between two tries."""
    ends = time.monotonic() + PATIENCE_S
    while time.monotonic() < ends:
        yield
        time.sleep(POLL_S)
