"""Alert to declared incident, beside few and beside very many other incidents.

`python tests/benchmarks/bench_alerts.py [MANY]`: MANY incidents (100,000), one in a hundred of them
open, against 100; both are asked in turn. New alerts open an incident, known ones join theirs.
"""

import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from runbook_nb.redaction import Redactor
from runbook_nb.timeline.events import Alert
from runbook_nb.timeline.incidents import declare
from runbook_nb.timeline.log import GENESIS, hash_of, line_of

FEW, MANY = 100, 100_000
ROUNDS = 200
OPEN_EVERY = 100


def fill(incidents: Path, count: int) -> None:
    """Write incidents of an opening, and for most of them a close, without a sync for each."""
    at = datetime.now(UTC).isoformat()
    for number in range(count):
        folder = incidents / f"INC-{2001 + number}"
        folder.mkdir(parents=True)
        opened = {
            "kind": "opened",
            "at": at,
            "run": "",
            "by": "sam",
            "incident": folder.name,
            "title": "Trial",
            "severity": "SEV2",
            "runbook": "trial",
            "environment": "lab",
            "alert": {"name": "A", "fingerprint": f"old{number}"},
        }
        closed = {"kind": "closed", "at": at, "run": "", "by": "sam", "resolution": ""}
        lines, head = b"", GENESIS
        for seq, event in enumerate([opened] if number % OPEN_EVERY == 0 else [opened, closed], 1):
            stored = {**event, "seq": seq, "prev": head}
            head = hash_of(stored)
            lines += line_of(stored, head)
        (folder / "timeline.jsonl").write_bytes(lines)


def answer(incidents: Path, fingerprint: str) -> float:
    """Declare an incident for an alert; return the seconds that it took."""
    began = time.perf_counter()
    declare(
        incidents,
        incident=None,
        title="Trial",
        severity="SEV2",
        runbook="trial",
        environment="lab",
        by="sam",
        alert=Alert(name="A", fingerprint=fingerprint),
        redactor=Redactor(),
    )
    return time.perf_counter() - began


def main() -> None:
    """Print median and 99th percentile of each, and their ratios."""
    many = int(sys.argv[1]) if len(sys.argv) > 1 else MANY
    with tempfile.TemporaryDirectory(prefix="runbook-alerts-") as place:
        folders = {count: Path(place) / str(count) for count in (FEW, many)}
        for count, folder in folders.items():
            fill(folder, count)
            print(f"beside {count:,}: index made in {answer(folder, 'first'):.2f} s")
        for name, said in (("opens", "new"), ("joins", "old0")):
            taken: dict[int, list[float]] = {count: [] for count in folders}
            for number in range(ROUNDS):
                for count, folder in folders.items():
                    print_of = f"new{number}" if said == "new" else said
                    taken[count].append(answer(folder, print_of))
            found = {
                count: (statistics.median(each), statistics.quantiles(each, n=100)[98])
                for count, each in taken.items()
            }
            for count, (median, late) in found.items():
                ratios = median / found[FEW][0], late / found[FEW][1]
                print(
                    f"{name} beside {count:>9,}: median {median * 1000:6.2f} ms ({ratios[0]:.2f}), "
                    f"p99 {late * 1000:6.2f} ms ({ratios[1]:.2f})"
                )


if __name__ == "__main__":
    main()
