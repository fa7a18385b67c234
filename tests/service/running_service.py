"""A service that runs beside a test, with what a test asks of it."""

import json
import signal
import subprocess
import sys
import time

import httpx

from runbook_nb.packs.control_plane.lab.processes import wait_until
from runbook_nb.service.database import connected
from runbook_nb.service.orders import Orders
from runbook_nb.service.queue import prepare_queue

RUNBOOK = (sys.executable, "-m", "runbook_nb")
HOSTILE = {
    "status": "firing",
    "labels": {"alertname": "QueueWaitHigh", "severity": "critical"},
    "annotations": {"summary": "<script>alert(1)</script> Jobs wait."},
    "fingerprint": "f1",
    "startsAt": "2026-11-27T19:00:00Z",
}


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
