"""What runs beside the database: one process with all the emulators, and the agents."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from runbook_nb.errors import LabError
from runbook_nb.packs.control_plane.lab.inspection import is_healthy
from runbook_nb.timeline.store.embedded.processes import (
    ProcessIdentity,
    commands,
    end,
    identify,
    python_command,
    start_detached,
    wait_until,
)

_MODULE = "runbook_nb.packs.control_plane.lab.services"
_READY_WITHIN_S = 30.0
_END_WITHIN_S = 3.0
_LAST_WORDS_LENGTH = 1500


@dataclass(frozen=True, kw_only=True)
class Fleet:
    """The services of the lab in ``folder``, detached from us, and the agents they start."""

    folder: Path

    @property
    def log(self) -> Path:
        """The file with all that the services print."""
        return self.folder / "services.log"

    def start(self, *, heartbeat_interval_s: float) -> tuple[ProcessIdentity, Mapping[str, int]]:
        """Start the services, wait until all listen; return their process and their ports."""
        (self.folder / "agents").mkdir(mode=0o700, exist_ok=True)
        log_begin = self.log.stat().st_size if self.log.exists() else 0
        identity = start_detached(
            self._command(),
            log=self.log,
            environment={**os.environ, "HEARTBEAT_SECONDS": f"{heartbeat_interval_s:g}"},
        )
        wait_until(lambda: self._is_ready(identity) or not identity.alive, within_s=_READY_WITHIN_S)
        if self._is_ready(identity):
            return identity, self._ports(identity)
        said = self.log.read_bytes()[log_begin:].decode(errors="replace").strip()
        raise LabError(
            f"The services of the lab are not up within {_READY_WITHIN_S:.0f} s. "
            f"The end of {self.log}:\n{said[-_LAST_WORDS_LENGTH:] or '(empty)'}"
        )

    def agents(self) -> list[ProcessIdentity]:
        """List the agent processes that were started and still run."""
        recorded = [_recorded(file) for file in (self.folder / "agents").glob("*.json")]
        return [agent for agent in recorded if agent is not None and agent.alive]

    def end(self) -> None:
        """End the services, then the agents, by whomever started and in whatever state."""
        for pid, command in commands().items():
            if command.endswith(" ".join(self._command()[1:])) and (found := identify(pid)):
                end(found, grace_s=_END_WITHIN_S)
        for agent in self.agents():
            # The rows go too, so an agent has nothing to hand over.
            end(agent, grace_s=0, asking=())
        for file in (self.folder / "agents").glob("*.json"):
            file.unlink(missing_ok=True)
        (self.folder / "services.json").unlink(missing_ok=True)

    def _command(self) -> list[str]:
        return python_command(_MODULE, "--folder", self.folder)

    def _is_ready(self, identity: ProcessIdentity) -> bool:
        ports = self._ports(identity)
        # The services write their ports once all of them listen.
        return bool(ports) and is_healthy(ports["agent"])

    def _ports(self, identity: ProcessIdentity) -> Mapping[str, int]:
        """Read the ports that this very process has announced; none before it listens."""
        try:
            announced = json.loads((self.folder / "services.json").read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        ports: dict[str, int] = announced["ports"] if announced["pid"] == identity.pid else {}
        return ports


def _recorded(file: Path) -> ProcessIdentity | None:
    """Read who an agent's file names; a file that names nobody is no agent."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        return ProcessIdentity(pid=int(content["pid"]), started=int(content["started"]))
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None
