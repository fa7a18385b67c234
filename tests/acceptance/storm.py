"""A storm of signals on runs that act: each effect is there once, and told.

    python tests/acceptance/storm.py --runs 200

Each round opens an incident and starts two runners of one runbook, whose action is not repeatable
and adds one row. Meanwhile kernels, runners, keepers and PostgreSQL get SIGKILL, SIGSTOP and
SIGCONT at random. Then it is calm, and one more run is made. What is in the system must be what
the timeline tells: an action done, or settled as done. Exit code 0 where it is, else 1.
"""

import argparse
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
import storm_system
from command import Command
from strikes import processes_with, send

from runbook_nb.errors import DatabaseServerError, RecordIntegrityError
from runbook_nb.packs.control_plane.lab.lab import Lab
from runbook_nb.packs.control_plane.lab.postgres import LabPostgres
from runbook_nb.runbook.pair import write as write_pair
from runbook_nb.timeline import queries
from runbook_nb.timeline.events import Settled
from runbook_nb.timeline.log import Timeline

BOOK = """\
---
jupyter:
  jupytext:
    cell_metadata_filter: tags,-all
    formats: ipynb,md
    notebook_metadata_filter: kernelspec,runbook,jupytext
    text_representation:
      extension: .md
      format_name: markdown
  kernelspec:
    display_name: Python 3
    language: python
    name: python3
  runbook:
    name: storm
    title: Storm
    scenario: An effect is missing.
    severity: SEV3
    owner: Runtime Steward
    last_updated: '2026-11-23'
    related: []
    alerts: []
---

# Storm

```python tags=["parameters"]
incident_id: str = ""
environment: str = "storm"
```

```python
import storm_system
from runbook_nb import Incident, equals, seconds

incident = Incident.open(incident_id, runbook="storm", environment=environment, parameters={})
```

## Diagnosis

### Check 1

```python
incident.check("Effects", storm_system.effects(), expect=equals(1, "effects"),
               if_failed="Option A: Add it")
```

## Resolution Steps

```python
incident.decide()
```

### Option A: Add it

```python
incident.act("Add", storm_system.add(), because="Effects", risk="None.", undo="None.")
```

## Verification

```python
incident.verify("Effects", within=seconds(3))
```

## Validation Log
"""
# An environment of its own: the command would start the lab itself anew, and lose what is counted.
SETTINGS = """\
[environments.storm]
kind = "lab"
[environments.storm.database]
reader = "file:{secrets}/reader.dsn"
writer = "file:{secrets}/writer.dsn"
"""
STORM_S = 7.0  # a run takes about as long
# What the line of a process shows; the rest of what a runner starts is a runner.
KINDS = (("kernel_process", "kernel"), ("watchdog", "keeper"))
STRIKES = ("kernel", "runner", "keeper", "postgres")


class Storm:
    """One storm: a lab, a runbook, and what was found in each round."""

    def __init__(self, folder: Path, *, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 - to be repeated, not to be secret
        self._lab = Lab(folder / "lab")
        (folder / "work").mkdir()
        self._runbook = Command(folder / "work")
        self._runbook.environ |= {
            "RUNBOOK_SETTINGS": str(folder / "work" / "settings.toml"),
            "RUNBOOK_NOTEBOOKS": str(folder / "work" / "notebooks"),
        }
        self.twice: list[int] = []
        self.not_told: list[int] = []
        self.broken: list[int] = []
        self.unsettled: list[int] = []
        self.strikes = self.effects = self.settled = 0

    @contextmanager
    def ready(self) -> Iterator[None]:
        """Start the lab and write the runbook; put the lab down at the end."""
        notebooks = self._runbook.folder / "notebooks"
        notebooks.mkdir()
        (notebooks / "storm.md").write_text(BOOK, encoding="utf-8")
        write_pair(notebooks / "storm.md")
        settings = SETTINGS.format(secrets=self._lab.folder / "secrets")
        (self._runbook.folder / "settings.toml").write_text(settings, encoding="utf-8")
        try:
            self._lab.up()
            self._sql(storm_system.TABLES)
            yield
        finally:
            self._calm()
            self._lab.down()

    def round(self, number: int) -> None:
        """Let two runners act in a storm, then one in the calm, and judge what is there."""
        self._sql(f"insert into storm.rounds values ({int(number)})")
        incident = f"INC-{number}"
        words = ("run", "storm", "--incident", incident, "--approve", "A")
        runners = [self._runbook.start(*words), self._runbook.start(*words)]
        self._strike(runners)
        self._calm()
        for runner in runners:
            self._wait(runner)
        self._end_all()
        self._wait(self._runbook.start(*words))
        self._judge(number, self._runbook.incidents / incident / "timeline.jsonl")

    def _strike(self, runners: list[subprocess.Popen[str]]) -> None:
        ends = time.monotonic() + STORM_S
        while time.monotonic() < ends and any(each.poll() is None for each in runners):
            time.sleep(self._random.uniform(0.05, 0.7))
            victim = self._random.choice(STRIKES)
            found = self._victims(victim)
            if not found:
                continue
            process = self._random.choice(found)
            self.strikes += 1
            if self._random.random() < (0.15 if victim == "postgres" else 0.4):
                send(process, signal.SIGKILL)
            else:
                send(process, signal.SIGSTOP)
                time.sleep(self._random.uniform(0.01, 0.5))
                if self._random.random() < 0.8:
                    send(process, signal.SIGCONT)

    def _victims(self, kind: str) -> list[int]:
        if kind == "postgres":
            return self._postgres()
        return [pid for pid, what in self._processes() if what == kind]

    def _processes(self) -> Iterator[tuple[int, str]]:
        """Find all that the runners started, by the folder of incidents in their environment."""
        for pid, line in processes_with("RUNBOOK_INCIDENTS", self._runbook.incidents):
            yield pid, next((what for word, what in KINDS if word in line), "runner")

    def _calm(self) -> None:
        """Let all go on, and start PostgreSQL again if it was killed."""
        for process, _ in self._processes():
            send(process, signal.SIGCONT)
        for process in self._postgres():
            send(process, signal.SIGCONT)
        ends = time.monotonic() + 60
        while time.monotonic() < ends:
            if not self._postgres():
                LabPostgres(self._lab.folder).start()
            with suppress(psycopg.OperationalError):
                self._sql("select 1")
                return
            time.sleep(0.2)

    def _postgres(self) -> list[int]:
        with suppress(DatabaseServerError):
            return [LabPostgres(self._lab.folder).pid]
        return []

    def _wait(self, runner: subprocess.Popen[str]) -> None:
        try:
            runner.communicate(timeout=150)
        except subprocess.TimeoutExpired:
            runner.kill()
            runner.communicate()

    def _end_all(self) -> None:
        """End what is left of the round; kernels whose keeper was killed go on otherwise."""
        for process, _ in self._processes():
            send(process, signal.SIGKILL)

    def _judge(self, number: int, path: Path) -> None:
        there = self._sql(f"select count(*) from storm.effects where number = {int(number)}")
        timeline = Timeline(path)
        try:
            timeline.verify()
        except (RecordIntegrityError, OSError):
            self.broken.append(number)
        told = len(queries.all_done(timeline.proven()))
        self.effects += there
        self.settled += len(queries.of(timeline.proven(), Settled))
        if there > 1:
            self.twice.append(number)
        if there != told:
            self.not_told.append(number)
        if queries.unsettled(timeline.proven()):
            self.unsettled.append(number)

    def _sql(self, sql: str) -> int:
        with psycopg.connect(self._lab.dsn(), autocommit=True, connect_timeout=5) as connection:
            cursor = connection.execute(sql)
            row = cursor.fetchone() if cursor.description else None
        return int(row[0]) if row else 0


def main() -> int:
    """Run the storm and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--runs", type=int, default=200, help="rounds, each with two runners")
    parser.add_argument("--seed", type=int, default=time.time_ns() % 1_000_000)
    given = parser.parse_args()
    print(f"seed {given.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="runbook-storm-") as folder:
        Path(folder).chmod(0o711)
        storm = Storm(Path(folder), seed=given.seed)
        with storm.ready():
            for number in range(1, given.runs + 1):
                storm.round(number)
                print(f"\r{number} of {given.runs}, {storm.strikes} strikes", end="", flush=True)
    print(
        f"\neffects: {storm.effects} in {given.runs} rounds, {storm.settled} attempts settled"
        f"\neffects done twice: {len(storm.twice)} {storm.twice}"
        f"\ndone and not told, or told and not done: {len(storm.not_told)} {storm.not_told}"
        f"\nchains broken: {len(storm.broken)} {storm.broken}"
        f"\nleft to a person: {len(storm.unsettled)} {storm.unsettled}"
    )
    return 1 if storm.twice or storm.not_told or storm.broken else 0


if __name__ == "__main__":
    sys.exit(main())
