"""From an alert to its first line, its run and its first verdict: by the service, by a command.

`python tests/benchmarks/bench_alert.py [ROUNDS]`: ROUNDS alerts (8) each way, in turn, in a new
project with its lab; then messages that nobody answers, 50 a second for 10 s, and what the sender
waits. Needs the extras `lab` and `serve`.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx

sys.path.insert(0, str(Path(__file__).parents[1] / "service"))
from running_service import RUNBOOK, Service

from runbook_nb.authoring.scaffold.new_project import begin_project
from runbook_nb.packs.control_plane.lab.postgres import PostgresServer
from runbook_nb.service.database import migrate
from runbook_nb.timeline.events import Checked, Opened, Started
from runbook_nb.timeline.log import Timeline

ROUNDS = 8
A_SECOND, SECONDS = 50, 10
TOKEN = "a token that is long enough"
SERVICE = """
[store]
dsn = "env:RUNBOOK_STORE"
[serve.environments]
default = "lab"
[serve.sources.alertmanager]
secret = "env:AM_SECRET"
"""


def alert(name: str, fingerprint: str) -> dict[str, object]:
    """Return an alert as Alertmanager sends it."""
    labels = {"alertname": name, "severity": "critical"}
    began = datetime.now(UTC).isoformat()
    return {"status": "firing", "labels": labels, "fingerprint": fingerprint, "startsAt": began}


@contextmanager
def team(root: Path) -> Iterator[None]:
    """Begin a project with a lab and a service's store, and stand in it."""
    begin_project(root / "team", now=datetime.now(UTC))
    file = root / "team" / "runbook.toml"
    file.write_text(file.read_text() + SERVICE)
    server = PostgresServer(root / "server")
    server.start()
    os.environ.update(RUNBOOK_STORE=server.dsn(), AM_SECRET=TOKEN, RUNBOOK_LAB=str(root / "lab"))
    os.chdir(root / "team")
    migrate(server.dsn())
    subprocess.run([*RUNBOOK, "lab", "up"], check=True, stdout=subprocess.DEVNULL)
    yield
    subprocess.run([*RUNBOOK, "lab", "down"], check=True, stdout=subprocess.DEVNULL)
    server.stop()


def timed(incidents: Path, ask: Callable[[], None]) -> tuple[float, ...]:
    """Ask for a diagnosis; return the seconds until it is opened, begun and first judged."""
    known = set(incidents.glob("INC-*"))
    began = time.time()
    ask()
    deadline = began + 120
    while time.time() < deadline:
        for folder in set(incidents.glob("INC-*")) - known:
            timeline = Timeline(folder / "timeline.jsonl")
            if timeline.of(Checked):
                firsts = (timeline.of(kind)[0] for kind in (Opened, Started, Checked))
                return tuple(first.at.timestamp() - began for first in firsts)
        time.sleep(0.02)
    message = "No verdict within 120 s."
    raise TimeoutError(message)


def answers(url: str) -> list[float]:
    """Send messages at a steady pace; return how long each sender waited, in seconds."""
    waited: list[float] = []
    headers = {"authorization": f"Bearer {TOKEN}"}
    with httpx.Client(headers=headers, trust_env=False, limits=httpx.Limits()) as client:

        def send(number: int) -> None:
            body = {"version": "4", "alerts": [alert("NobodyAnswersThis", f"n{number}")]}
            began = time.perf_counter()
            client.post(f"{url}/hooks/alertmanager", json=body, timeout=30).raise_for_status()
            waited.append(time.perf_counter() - began)

        threads = []
        began = time.perf_counter()
        for number in range(A_SECOND * SECONDS):
            time.sleep(max(0.0, began + number / A_SECOND - time.perf_counter()))
            threads.append(threading.Thread(target=send, args=[number]))
            threads[-1].start()
        for thread in threads:
            thread.join()
    return waited


def main() -> None:
    """Print the medians of both ways and their ratios, and what a sender waits."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    with tempfile.TemporaryDirectory(prefix="runbook-alert-") as place:
        root = Path(place)
        root.chmod(0o711)
        with team(root):
            incidents = root / "team" / "incidents"

            class Team:
                """What a service beside a test is told."""

                dsn = os.environ["RUNBOOK_STORE"]
                root = Path.cwd()

            service = Service(Team, TOKEN, "--port", "0")
            taken: dict[str, list[tuple[float, ...]]] = {"service": [], "command": []}
            for number in range(rounds):
                fired = alert("QueueWaitHigh", f"s{number}")
                taken["service"].append(timed(incidents, lambda fired=fired: service.send(fired)))
                wait_for_rest(service)
                file = root / "alert.json"
                file.write_text(json.dumps({"alerts": [alert("QueueWaitHigh", f"c{number}")]}))
                words = [*RUNBOOK, "run", "--alert", str(file)]
                begun: list[subprocess.Popen[bytes]] = []
                taken["command"].append(
                    timed(
                        incidents,
                        lambda words=words, begun=begun: begun.append(
                            subprocess.Popen(words, stdout=subprocess.DEVNULL)
                        ),
                    )
                )
                begun[0].wait()
            waited = answers(service.url)
            service.end()
    middle = {
        way: [statistics.median(column) for column in zip(*found, strict=True)]
        for way, found in taken.items()
    }
    for place_of, what in enumerate(("first line", "run begins", "first verdict")):
        by_service, by_command = middle["service"][place_of], middle["command"][place_of]
        print(
            f"{what:14} service {by_service:6.2f} s, command {by_command:6.2f} s, "
            f"{by_command / by_service:5.1f} times as fast"
        )
    late = statistics.quantiles(waited, n=100)[98]
    print(
        f"answer to a message at {A_SECOND} a second: median {statistics.median(waited):.3f} s, "
        f"p99 {late:.3f} s"
    )


def wait_for_rest(service: Service) -> None:
    """Wait until nothing waits or runs, so that the other way has the machine for itself."""
    while service.orders("queued", "running"):
        time.sleep(0.1)


if __name__ == "__main__":
    main()
