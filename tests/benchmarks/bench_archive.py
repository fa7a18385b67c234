"""The archive of a thousand records, and a search over a hundred thousand incidents.

A build is held against nbconvert's page of one executed notebook, a search against `grep -ril` over
the timelines. Give other numbers where time is short: ``bench_archive.py 100 10000``.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from measure import interleaved, show

from runbook_nb.record.history import History, IncidentQuery
from runbook_nb.record.page import write_record
from runbook_nb.record.site import build
from runbook_nb.redaction import Redactor
from runbook_nb.runbook.lean import lean_imports
from runbook_nb.timeline.events import Noted
from runbook_nb.timeline.writer import WritableTimeline

sys.path.insert(0, str(Path(__file__).parents[1]))
from many import BEGIN, write_many

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "heartbeat_failure_recovery.ipynb"
WORDS = "certificate proxy"


def main() -> None:
    """Measure both, each in a folder of its own."""
    lean_imports()
    records, incidents = (*map(int, sys.argv[1:]), 1_000, 100_000)[:2]
    with tempfile.TemporaryDirectory() as folder:
        bench_build(Path(folder), records)
    with tempfile.TemporaryDirectory() as folder:
        bench_search(Path(folder) / "incidents", incidents)


def bench_build(folder: Path, count: int) -> None:
    """Build an archive, renew it with one record changed, and with nothing changed."""
    from nbconvert import HTMLExporter

    incidents, site = folder / "incidents", folder / "site"
    for number in range(3001, 3001 + count):
        write_sealed(incidents, number)
    changed, other = incidents / "INC-3001", folder / "other" / "INC-3001"
    write_sealed(other.parent, 3001)
    WritableTimeline(other / "timeline.jsonl", redactor=Redactor()).append(
        Noted(at=BEGIN, text="Once more.")
    )
    write_record(other)
    settle()

    def first() -> None:
        shutil.rmtree(site, ignore_errors=True)
        (incidents / ".history.sqlite3").unlink(missing_ok=True)
        build(incidents, site)

    def one_changed() -> None:
        changed.rename(folder / "aside")
        other.rename(changed)
        (folder / "aside").rename(other)
        assert build(incidents, site).records == ("INC-3001",)

    page = "nbconvert, one page"
    medians = interleaved(
        {
            page: lambda: HTMLExporter().from_filename(str(NOTEBOOK)),
            f"archive of {count:,}, first build": first,
            f"archive of {count:,}, one changed": one_changed,
            f"archive of {count:,}, nothing changed": lambda: build(incidents, site),
        },
        rounds=3,
    )
    show(medians, against=page)


def write_sealed(incidents: Path, number: int) -> None:
    """Write one closed incident with its record, alone: its page need not look at the others."""
    alone = incidents.parent / "alone"
    write_many(alone, 1, first=number)
    write_record(alone / f"INC-{number}")
    incidents.mkdir(parents=True, exist_ok=True)
    (alone / f"INC-{number}").rename(incidents / f"INC-{number}")


def bench_search(incidents: Path, count: int) -> None:
    """Find words among many incidents, each with a look for what changed."""
    write_many(incidents, count)
    settle()
    began = time.perf_counter()
    History(incidents).refresh()
    print(f"first reading of {count:,}: {time.perf_counter() - began:.0f} s")
    environ = {**os.environ, "RUNBOOK_INCIDENTS": str(incidents)}
    first = WORDS.split(maxsplit=1)[0]
    command = [sys.executable, "-m", "runbook_nb", "list", "--incidents", WORDS]

    def search() -> int:
        history = History(incidents)
        history.refresh()
        return history.search(IncidentQuery(text=WORDS)).total

    grep = f"grep -ril {first}"
    medians = interleaved(
        {
            grep: lambda: subprocess.run(
                ["grep", "-ril", "--include=timeline.jsonl", first, str(incidents)],
                stdout=subprocess.DEVNULL,
                check=True,
            ),
            f"search over {count:,}": search,
            f"runbook list --incidents, over {count:,}": lambda: subprocess.run(
                command, env=environ, stdout=subprocess.DEVNULL, check=True
            ),
        },
        rounds=3,
    )
    show(medians, against=grep)
    print(f"{search():,} incidents found")


def settle() -> None:
    """Wait until no timeline is so new that it is looked at once more."""
    time.sleep(2.5)


if __name__ == "__main__":
    main()
