"""One Fly machine of the agent: a process with a state, a configuration and a history."""

import asyncio
import json
import os
import random
import secrets
import socket
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from runbook_nb.timeline.store.embedded.files import write_whole
from runbook_nb.timeline.store.embedded.processes import identify, python_command

_UP_WITHIN_S = 10.0
_KILL_AFTER_S = 0.5
_POLL_S = 0.01
_EVENTS_KEPT = 20
# Below the range that the system takes client ports from: while the agent is down, no connection
# can take its port, and no client can connect to itself on it.
_PORTS = range(20_000, 30_000)


class MachineState(StrEnum):
    """The states of a Fly machine that the emulator knows."""

    CREATED = "created"
    STARTING = "starting"
    STARTED = "started"
    STOPPING = "stopping"
    STOPPED = "stopped"
    DESTROYED = "destroyed"


class MachineError(Exception):
    """The machine's process did not come up."""


@dataclass(frozen=True, kw_only=True)
class Placement:
    """What a machine gets from its app: where it keeps files, its secrets, and its port."""

    app: str
    folder: Path
    secrets: Mapping[str, str]
    port: int


def lasting_port() -> int:
    """Return a free port of 127.0.0.1 that stays ours while nobody listens on it."""
    while True:
        port = random.choice(_PORTS)  # noqa: S311 - a port is no secret
        with socket.socket() as attempt, suppress(OSError):
            attempt.bind(("127.0.0.1", port))
            return port


class Machine:
    """A machine; its methods may be called at the same time and take their turns."""

    def __init__(self, *, name: str, config: Mapping[str, Any], placement: Placement) -> None:
        self.id = secrets.token_hex(7)
        self.name = name
        self.config = dict(config)
        self.state = MachineState.CREATED
        self._placement = placement
        self._instance = secrets.token_hex(13).upper()
        self._created_at = self._updated_at = datetime.now(UTC)
        self._events: list[dict[str, object]] = []
        self._process: asyncio.subprocess.Process | None = None
        self._watch: asyncio.Task[None] | None = None
        self._turn = asyncio.Lock()

    @property
    def port(self) -> int:
        """The port of 127.0.0.1 that the machine's process listens on."""
        return self._placement.port

    @property
    def running(self) -> bool:
        """Tell whether the machine has a process, be it hung or not."""
        return self._process is not None and self._process.returncode is None

    async def start(self) -> None:
        """Start the process if there is none; MachineError when it is not up within 10 s."""
        async with self._turn:
            if not self.running:
                await self._start()

    async def stop(self, *, kill_after_s: float = _KILL_AFTER_S) -> None:
        """Ask the process to end, and kill it after ``kill_after_s`` seconds."""
        async with self._turn:
            await self._stop(kill_after_s)

    async def restart(self, *, kill_after_s: float = _KILL_AFTER_S) -> None:
        """Stop and start; a machine that had stopped by itself is started."""
        async with self._turn:
            await self._stop(kill_after_s)
            await self._start()

    async def update(self, config: Mapping[str, Any]) -> None:
        """Replace the configuration as a new version, and run that."""
        async with self._turn:
            await self._stop(_KILL_AFTER_S)
            self.config = dict(config)
            self._instance = secrets.token_hex(13).upper()
            await self._start()

    async def destroy(self) -> None:
        """Kill the process, for good."""
        async with self._turn:
            await self._stop(0)
            self._enter(MachineState.DESTROYED, "destroy")

    def kill(self) -> None:
        """Kill the process at once, as a power cut would."""
        if self._process is not None and self.running:
            self._process.kill()

    def as_json(self) -> dict[str, object]:
        """Return the machine as the Machines API shows it; the newest event comes first."""
        return {
            "id": self.id,
            "name": self.name,
            "state": self.state.value,
            "region": "lab",
            "instance_id": self._instance,
            "private_ip": "127.0.0.1",
            "config": self.config,
            "created_at": self._created_at.isoformat(),
            "updated_at": self._updated_at.isoformat(),
            "events": list(self._events),
        }

    async def _start(self) -> None:
        self._enter(MachineState.STARTING, "launch")
        with (self._placement.folder / f"agent-{self.id}.log").open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                *python_command("runbook_nb.packs.control_plane.lab.agent"),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                env=self._environment(),
            )
        self._process = process
        self._watch = asyncio.create_task(self._await_exit(process))
        self._keep_identity(process.pid)
        if not await self._comes_up(process):
            await self._stop(0)
            raise MachineError(
                f"machine {self.id} was not up within {_UP_WITHIN_S:.0f} s; "
                f"its exit code is {process.returncode}"
            )
        self._enter(MachineState.STARTED, "start")

    async def _stop(self, kill_after_s: float) -> None:
        process, watch = self._process, self._watch
        if process is None or watch is None or not self.running:
            return
        self._enter(MachineState.STOPPING, "stop")
        with suppress(ProcessLookupError):
            # A halted process cannot follow this and is killed, so it never wakes up again.
            process.terminate()
        with suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), kill_after_s)
        with suppress(ProcessLookupError):
            process.kill()
        await watch

    async def _await_exit(self, process: asyncio.subprocess.Process) -> None:
        await process.wait()
        self._identity_file.unlink(missing_ok=True)
        self._enter(MachineState.STOPPED, "exit", exit_code=process.returncode)

    async def _comes_up(self, process: asyncio.subprocess.Process) -> bool:
        deadline = time.monotonic() + _UP_WITHIN_S
        while process.returncode is None and time.monotonic() < deadline:
            if await _healthy(self._placement.port):
                return True
            await asyncio.sleep(_POLL_S)
        return False

    def _environment(self) -> dict[str, str]:
        return {
            **_inherited(),
            **self.config.get("env", {}),
            **self._placement.secrets,
            "PORT": str(self._placement.port),
            "FLY_APP_NAME": self._placement.app,
            "FLY_MACHINE_ID": self.id,
        }

    def _keep_identity(self, pid: int) -> None:
        identity = identify(pid)
        if identity is not None:
            self._identity_file.parent.mkdir(exist_ok=True)
            write_whole(self._identity_file, json.dumps(asdict(identity)))

    @property
    def _identity_file(self) -> Path:
        return self._placement.folder / "agents" / f"{self.id}.json"

    def _enter(self, state: MachineState, event: str, **request: object) -> None:
        self.state = state
        self._updated_at = datetime.now(UTC)
        self._events.insert(
            0,
            {
                "type": event,
                "status": state.value,
                "source": "flyd",
                "timestamp": round(self._updated_at.timestamp() * 1000),
                "request": request,
            },
        )
        del self._events[_EVENTS_KEPT:]


def _inherited() -> dict[str, str]:
    """Return what Python needs of our own environment, and no setting of an agent."""
    return {
        name: text
        for name, text in os.environ.items()
        if name in {"PATH", "HOME", "LANG", "VIRTUAL_ENV"} or name.startswith(("PYTHON", "LC_"))
    }


async def _healthy(port: int) -> bool:
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    try:
        writer.write(b"GET /health HTTP/1.0\r\n\r\n")
        first_line = await asyncio.wait_for(reader.readline(), 1)
    except (OSError, TimeoutError):
        return False
    finally:
        writer.close()
    return b" 200 " in first_line
