"""A service that runs beside a test, with what a test asks of it."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx

from runbook_nb.authoring.scaffold.new_project import begin_project
from runbook_nb.project import Project
from runbook_nb.service.orders import Orders
from runbook_nb.service.queue import prepare_queue
from runbook_nb.service.settings import ServiceSettings
from runbook_nb.timeline.events import Event
from runbook_nb.timeline.incidents import find
from runbook_nb.timeline.store.database import connected, migrate
from runbook_nb.timeline.store.embedded.processes import wait_until
from runbook_nb.timeline.store.embedded.server import PostgresServer

RUNBOOK = (sys.executable, "-m", "runbook_nb")
TOKEN = "a token that is long enough"
SERVICE = """
[store]
dsn = "env:RUNBOOK_STORE"
[serve]
again_after_s = 900
[serve.environments]
default = "lab"
[serve.sources.alertmanager]
secret = "env:AM_SECRET"
"""
HOSTILE = {
    "status": "firing",
    "labels": {"alertname": "QueueWaitHigh", "severity": "critical"},
    "annotations": {"summary": "<script>alert(1)</script> Jobs wait."},
    "fingerprint": "f1",
    "startsAt": "2026-11-27T19:00:00Z",
}


@dataclass(frozen=True, kw_only=True)
class Team:
    """A team's project with a service: its folder, its store and its incidents."""

    root: Path
    dsn: str

    @property
    def incidents(self) -> Path:
        """Where its incidents lie."""
        return self.root / "incidents"

    @property
    def settings(self) -> ServiceSettings:
        """What its project says of the service."""
        return ServiceSettings.read(Project.read(self.root))

    def told(self, incident: str) -> list[Event]:
        """Return the events of an incident; the chain must hold."""
        timeline = find(self.incidents, incident)
        timeline.verify()
        return list(timeline)


class Service:
    """A service that runs beside the test."""

    def __init__(self, team, token, *words):
        prepare_queue(team.dsn)
        self.team, self.token, self.words = team, token, words
        self.log = team.root / f"serve-{time.monotonic_ns()}.log"
        self.start()

    def start(self):
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*RUNBOOK, "serve", *self.words], cwd=self.team.root, stderr=log, stdout=log
            )
        assert wait_until(lambda: self.said("serving"), within_s=30), self.log.read_text()
        self.url = "http://" + self.said("serving")[-1]["address"]

    def said(self, event):
        lines = [line for line in self.log.read_text().splitlines() if line.startswith("{")]
        return [line for line in map(json.loads, lines) if line["event"] == event]

    def send(self, *alerts, **headers):
        sent = headers or {"authorization": f"Bearer {self.token}"}
        body = {"version": "4", "alerts": list(alerts)}
        return httpx.post(f"{self.url}/hooks/alertmanager", json=body, headers=sent)

    def orders(self, *states):
        with connected(self.team.dsn) as connection:
            return Orders(connection).listed(*states)

    def end(self, signum=signal.SIGTERM):
        self.process.send_signal(signum)
        return self.process.wait(90)


def below(pid: int) -> list[int]:
    """Return a process that lives and all that were started below it, itself first."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [pid, *(each for child in map(int, children) for each in below(child))]


def alert(name: str, fingerprint: str) -> dict[str, object]:
    """Return an alert as Alertmanager sends it."""
    labels = {"alertname": name, "severity": "critical"}
    began = datetime.now(UTC).isoformat()
    return {"status": "firing", "labels": labels, "fingerprint": fingerprint, "startsAt": began}


@contextmanager
def own_team() -> Iterator[Team]:
    """Begin a project with a lab and a service's store in a folder of its own, and stand in it."""
    with tempfile.TemporaryDirectory(prefix="runbook-team-") as folder:
        # The server's account must be able to enter it.
        Path(folder).chmod(0o711)
        with _begun(Path(folder)) as team:
            yield team


@contextmanager
def _begun(root: Path) -> Iterator[Team]:
    begin_project(root / "team", now=datetime.now(UTC))
    file = root / "team" / "runbook.toml"
    file.write_text(file.read_text() + SERVICE)
    server = PostgresServer(root / "server")
    server.start()
    os.environ.update(RUNBOOK_STORE=server.dsn(), AM_SECRET=TOKEN, RUNBOOK_LAB=str(root / "lab"))
    before = Path.cwd()
    os.chdir(root / "team")
    migrate(server.dsn())
    subprocess.run([*RUNBOOK, "lab", "up"], check=True, stdout=subprocess.DEVNULL)
    try:
        yield Team(root=Path.cwd(), dsn=server.dsn())
    finally:
        subprocess.run([*RUNBOOK, "lab", "down"], check=True, stdout=subprocess.DEVNULL)
        server.stop()
        os.chdir(before)
