"""What runs in the lab: which parts, where they listen, and whether they answer."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from runbook_nb.timeline.store.embedded.files import write_whole
from runbook_nb.timeline.store.embedded.processes import ProcessIdentity

_FILE = "state.json"


@dataclass(frozen=True, kw_only=True)
class Part:
    """A part of the lab: whether its process runs, and whether it answers on its port."""

    name: str
    running: bool
    answers: bool

    @property
    def up(self) -> bool:
        """Tell whether the part can be used; a halted process runs but does not answer."""
        return self.running and self.answers


@dataclass(frozen=True, kw_only=True)
class LabState:
    """A lab that was started: its folder, processes and ports, and how its parts are now.

    ``ports`` has the keys agent, ui, edge, edge_admin, fly and composio. ``started_at`` is in UTC.
    """

    folder: Path
    postgres_pid: int
    postgres_port: int
    services: ProcessIdentity
    ports: Mapping[str, int]
    started_at: datetime
    heartbeat_interval_s: float
    parts: tuple[Part, ...] = ()

    @property
    def services_pid(self) -> int:
        """The pid of the process that serves the emulators."""
        return self.services.pid

    @property
    def healthy(self) -> bool:
        """Tell whether every part is up."""
        return bool(self.parts) and all(part.up for part in self.parts)


def write_state(state: LabState) -> None:
    """Keep the state in its folder; the parts are not kept, as they are looked at anew."""
    content = {
        "folder": str(state.folder),
        "postgres": {"pid": state.postgres_pid, "port": state.postgres_port},
        "services": {"pid": state.services.pid, "started": state.services.started},
        "ports": dict(state.ports),
        "started_at": state.started_at.isoformat(),
        "heartbeat_interval_s": state.heartbeat_interval_s,
    }
    write_whole(state.folder / _FILE, json.dumps(content, indent=2) + "\n")


def read_state(folder: Path) -> LabState | None:
    """Read the state kept in ``folder``, or None when no lab was started there.

    A state that another version wrote counts as none: the next start cleans up after it.
    """
    try:
        content = json.loads((folder / _FILE).read_text(encoding="utf-8"))
        return LabState(
            folder=folder,
            postgres_pid=content["postgres"]["pid"],
            postgres_port=content["postgres"]["port"],
            services=ProcessIdentity(**content["services"]),
            ports=content["ports"],
            started_at=datetime.fromisoformat(content["started_at"]),
            heartbeat_interval_s=content["heartbeat_interval_s"],
        )
    except (FileNotFoundError, NotADirectoryError, ValueError, KeyError, TypeError):
        return None


def forget_state(folder: Path) -> None:
    """Remove the state: from now on no lab was started in ``folder``."""
    (folder / _FILE).unlink(missing_ok=True)
