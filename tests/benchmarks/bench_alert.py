"""From an alert to its first line, its run and its first verdict: by the service, by a command.

`python tests/benchmarks/bench_alert.py [ROUNDS]`: ROUNDS alerts (8) each way, in turn, in a new
project with its lab; then messages that nobody answers, 50 a second for 10 s, and what the sender
waits. Needs the extras `lab` and `serve`.
"""

import json
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import httpx

sys.path.insert(0, str(Path(__file__).parents[1] / "service"))
from running_service import RUNBOOK, TOKEN, Service, alert, own_team

from runbook_nb.timeline.events import Checked, Opened, Started
from runbook_nb.timeline.log import Timeline

ROUNDS = 8
A_SECOND, SECONDS = 50, 10


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
    with own_team() as team:
        incidents = team.incidents
        service = Service(team, TOKEN, "--port", "0")
        taken: dict[str, list[tuple[float, ...]]] = {"service": [], "command": []}
        for number in range(rounds):
            fired = alert("QueueWaitHigh", f"s{number}")
            taken["service"].append(timed(incidents, lambda fired=fired: service.send(fired)))
            wait_for_rest(service)
            file = team.root / "alert.json"
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
