"""The service for an hour at one alert a second: what it holds in memory, and what it leaves.

`python tests/acceptance/soak.py [SECONDS]` begins a project with its lab, sends one alert a second
of sixty different ones, and prints each minute the memory of the service (proportional set size of
all its processes, in MB), how many processes there are, and what waits. Needs `lab` and `serve`.
"""

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "service"))
from running_service import TOKEN, Service, alert, below, own_team

SECONDS = 3600
DIFFERENT = 60
EVERY_S = 60


def memory_mb(pid: int) -> float:
    """Return the memory of a process, what it shares by its part, in MB; 0 where it has ended."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def main() -> None:
    """Send, and print a line each minute and what is left at the end."""
    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else SECONDS
    with own_team() as team:
        service = Service(team, TOKEN, "--port", "0")
        known = [alert("QueueWaitHigh", f"f{number}") for number in range(DIFFERENT)]
        began = time.monotonic()
        for second in range(seconds):
            time.sleep(max(0.0, began + second - time.monotonic()))
            answer = service.send(known[second % DIFFERENT])
            assert answer.status_code == 202, answer.text
            if second % EVERY_S == EVERY_S - 1:
                print(line(service, second + 1), flush=True)
        while service.orders("queued", "running"):
            time.sleep(1)
        left = below(service.process.pid)
        print("at rest:", line(service, seconds), flush=True)
        assert service.end() == 0
        time.sleep(5)
        orphans = [pid for pid in left if Path(f"/proc/{pid}").exists()]
        print(f"left behind: {len(orphans)} of {len(left)} processes")


def line(service: Service, second: int) -> str:
    """Say how it stands."""
    own = service.process.pid
    pids = below(own)
    states = {state: len(service.orders(state)) for state in ("queued", "running", "done")}
    total = sum(map(memory_mb, pids))
    return (
        f"{second:5} s: service {memory_mb(own):6.1f} MB, all {total:7.1f} MB in {len(pids)} "
        f"processes, {states}"
    )


if __name__ == "__main__":
    main()
