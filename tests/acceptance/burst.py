"""A burst of alerts on a service whose parts are killed: nothing is lost, nothing done twice.

    python tests/acceptance/burst.py --alerts 1000 --fingerprints 60 --kills 20

Two senders each post every alert to one web server; two more services only work. Each of the three
is a machine with a folder of incidents of its own, and so is the person's; they share nothing but
a PostgreSQL. With `--machines 1` they share a folder, and the timelines are in it. The runbook's
check goes on failing and its action is not repeatable, so only the ledger and the fence guard it.
A person approves it once an incident was diagnosed, and orders the run that acts. Meanwhile
services, runs, kernels and PostgreSQL get SIGKILL at random. Exit code 0 where every alert was
answered, every order ended, no effect is there twice, what was told is there, and every chain
holds.
"""

import argparse
import os
import random
import secrets
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import burst_system
import httpx
import psycopg
import storm
from command import HERE
from strikes import processes_with, send

from runbook_nb.errors import DatabaseServerError, RecordIntegrityError, RunbookError
from runbook_nb.runbook.pair import write as write_pair
from runbook_nb.runs.engine.kernel import PROGRAM as KERNEL
from runbook_nb.runs.run import approve_last
from runbook_nb.service.orders import Orders
from runbook_nb.service.queue import prepare_queue
from runbook_nb.timeline import queries
from runbook_nb.timeline.copying import to_folder
from runbook_nb.timeline.events import Acting, Approved, Decided, Ended
from runbook_nb.timeline.folder import IncidentFolder, IncidentsFolder
from runbook_nb.timeline.log import Timeline
from runbook_nb.timeline.store.chain import store_of
from runbook_nb.timeline.store.database import connected, migrate
from runbook_nb.timeline.store.embedded.postmaster import free_port
from runbook_nb.timeline.store.embedded.server import PostgresServer

BOOK = (
    storm.BOOK.replace("name: storm", "name: burst")
    .replace("title: Storm", "title: Burst")
    .replace("# Storm", "# Burst")
    .replace("alerts: []", "alerts:\n    - EffectMissing")
    .replace('environment: str = "storm"', 'environment: str = "burst"')
    .replace('runbook="storm"', 'runbook="burst"')
    .replace("storm_system.effects()", "burst_system.missing()")
    .replace('equals(1, "effects")', 'equals(0, "repairs")')
    .replace("storm_system", "burst_system")
)
PROJECT = """\
notebooks = "notebooks"
incidents = "incidents"
src = ["."]
[environments.burst]
kind = "lab"
[environments.burst.database]
reader = "env:BURST_READER"
writer = "env:BURST_WRITER"
[store]
dsn = "env:BURST_STORE"
timelines = {timelines}
[serve]
at_most = 3
attempts = 20
[serve.environments]
default = "burst"
[serve.sources.alertmanager]
secret = "env:BURST_SECRET"
"""
ROLES = """
create role burst_reader login password '{password}';
create role burst_writer login password '{password}';
create database store;
"""
KINDS = ((KERNEL, "kernel"), ("work", "run"), ("serve", "service"))


@dataclass
class Found:
    """What was there at the end."""

    incidents: int = 0
    orders: Counter[str] = field(default_factory=Counter)
    effects: int = 0
    twice: list[str] = field(default_factory=list)
    not_told: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    apart: list[str] = field(default_factory=list)
    unsettled: list[str] = field(default_factory=list)
    never: list[str] = field(default_factory=list)
    waiting: int = 0
    answers_ms: list[float] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class _Running:
    """A service, and how it is started again on its machine."""

    process: subprocess.Popen[bytes]
    words: tuple[str, ...]
    place: Path


class Burst:
    """One burst: a server, three services, two senders, and a hand that kills."""

    def __init__(self, folder: Path, *, seed: int, machines: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 - to be repeated, not to be secret
        self._server = PostgresServer(folder / "server")
        self._folder, self._machines = folder, machines
        # The person's first, and one for each service; on one machine all use the first.
        projects = [folder / f"machine-{number}" for number in range(4 if machines > 1 else 1)]
        self._person, *_ = projects
        self._places = projects[1:] or [self._person] * 3
        self._services: list[_Running] = []
        self._port = free_port()
        self.found, self.kills = Found(), Counter[str]()

    @property
    def _incidents(self) -> Path:
        return self._person / "incidents"

    def _known(self) -> list[IncidentFolder]:
        """Return every incident, with its timeline as it is by now in the person's folder."""
        if (store := store_of(self._incidents)) is not None:
            to_folder(self._incidents, store)
        return list(IncidentsFolder(self._incidents).all())

    def begin(self) -> None:
        """Start the server, write the project, and start three services."""
        self._server.start()
        password, secret = secrets.token_hex(12), secrets.token_hex(12)
        with psycopg.connect(self._server.dsn(), autocommit=True) as connection:
            for statement in ROLES.format(password=password).strip().split("\n"):
                connection.execute(statement.encode())
            connection.execute(burst_system.TABLES.encode())
        os.environ |= {
            "BURST_READER": self._server.dsn("burst_reader", password=password),
            "BURST_WRITER": self._server.dsn("burst_writer", password=password),
            "BURST_STORE": self._server.dsn(database="store"),
            "BURST_SECRET": secret,
            "RUNBOOK_PROJECT": str(self._person),
            "PYTHONPATH": os.pathsep.join([str(HERE), os.environ.get("PYTHONPATH", "")]),
        }
        for place in {self._person, *self._places}:
            self._write_project(place)
        migrate(os.environ["BURST_STORE"])
        prepare_queue(os.environ["BURST_STORE"])
        words = (("--port", str(self._port)), ("--host", ""), ("--host", ""))
        self._services = [
            self._start(said, place) for said, place in zip(words, self._places, strict=True)
        ]

    def _write_project(self, place: Path) -> None:
        (place / "notebooks").mkdir(parents=True)
        several = str(self._machines > 1).lower()
        (place / "runbook.toml").write_text(PROJECT.format(timelines=several), encoding="utf-8")
        (place / "notebooks" / "burst.md").write_text(BOOK, encoding="utf-8")
        write_pair(place / "notebooks" / "burst.md")

    def blow(self, *, alerts: int, fingerprints: int, kills: int, within_s: float) -> None:
        """Send every alert by two senders, kill at random, and go on until all is done."""
        senders = [
            threading.Thread(target=self._send, args=(alerts, fingerprints, within_s))
            for _ in range(2)
        ]
        for sender in senders:
            sender.start()
        ends = time.monotonic() + 1_200
        next_kill = time.monotonic() + 2
        while time.monotonic() < ends:
            self._start_again()
            with suppress(RunbookError, psycopg.Error):
                self._approve()
                if not any(sender.is_alive() for sender in senders) and self._is_done(fingerprints):
                    break
            if sum(self.kills.values()) < kills and time.monotonic() > next_kill:
                self._kill()
                next_kill = time.monotonic() + self._random.uniform(0.5, 3)
            time.sleep(0.2)
        for sender in senders:
            sender.join()

    def end(self) -> None:
        """End the services and what they began; the server last."""
        for service in self._services:
            service.process.send_signal(signal.SIGTERM)
        for service in self._services:
            with suppress(subprocess.TimeoutExpired):
                service.process.wait(40)
        for pid, _ in self._processes():
            send(pid, signal.SIGKILL)
        self._server.stop()

    def judge(self) -> Found:
        """Compare what is in the system with what the timelines tell."""
        with psycopg.connect(self._server.dsn()) as connection:
            there = Counter(row[0] for row in connection.execute("select attempt from effects"))
        self.found.effects = sum(there.values())
        known = set[str]()
        self.found.apart = self._apart()
        for folder in self._known():
            self.found.incidents += 1
            timeline = Timeline(folder.timeline)
            try:
                timeline.verify()
            except (RecordIntegrityError, OSError):
                self.found.broken.append(folder.name)
            events = timeline.proven()
            attempts = {event.attempt for event in events if isinstance(event, Acting)}
            known |= attempts
            effects = sum(there[attempt] for attempt in attempts)
            if effects > 1:
                self.found.twice.append(folder.name)
            if not effects:
                self.found.never.append(folder.name)
            unsettled = bool(queries.unsettled(events))
            if unsettled:
                self.found.unsettled.append(folder.name)
            elif effects != len(queries.all_done(events)):
                self.found.not_told.append(folder.name)
        self.found.not_told += sorted(set(there) - known)
        with connected(os.environ["BURST_STORE"]) as connection:
            for row in connection.execute(
                "select state, count(*) as n from runbook.orders group by 1"
            ):
                self.found.orders[str(row["state"])] = int(str(row["n"]))
            waiting = connection.execute(
                "select count(*) as n from runbook.delivery where taken_at is null"
            ).fetchone()
            self.found.waiting = int(str(waiting["n"])) if waiting else -1
        return self.found

    def _apart(self) -> list[str]:
        """Return the timelines of machines that are no beginning of what the store has."""
        return [
            f"{each.name} in {place.name}"
            for place in self._places
            for each in IncidentsFolder(place / "incidents").all()
            if not IncidentsFolder(self._incidents)
            .incident(each.name)
            .timeline.read_bytes()
            .startswith(each.timeline.read_bytes())
        ]

    def _start(self, words: tuple[str, ...], place: Path) -> "_Running":
        with (self._folder / "serve.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "runbook_nb", "serve", "--slots", "2", *words],
                cwd=place,
                env={**os.environ, "RUNBOOK_PROJECT": str(place)},
                stdout=log,
                stderr=log,
            )
        return _Running(process=process, words=words, place=place)

    def _start_again(self) -> None:
        """Start what was killed, as systemd would."""
        with suppress(DatabaseServerError):
            if not self._server.running:
                self._server.start()
        self._services = [
            each if each.process.poll() is None else self._start(each.words, each.place)
            for each in self._services
        ]

    def _send(self, alerts: int, fingerprints: int, within_s: float) -> None:
        """Post each alert until it is kept, as a sender does."""
        headers = {"authorization": f"Bearer {os.environ['BURST_SECRET']}"}
        url = f"http://127.0.0.1:{self._port}/hooks/alertmanager"
        began = time.monotonic()
        with httpx.Client(headers=headers, timeout=10) as client:
            for number in range(alerts):
                time.sleep(max(0.0, began + within_s * number / alerts - time.monotonic()))
                alert = {
                    "status": "firing",
                    "labels": {"alertname": "EffectMissing", "severity": "critical"},
                    "fingerprint": f"f{number % fingerprints}",
                    "startsAt": "2026-11-27T19:00:00Z",
                    "annotations": {"summary": f"Sent as {number}."},
                }
                self._post(client, url, {"version": "4", "alerts": [alert]})

    def _post(self, client: httpx.Client, url: str, message: object) -> None:
        while True:
            asked = time.monotonic()
            with suppress(httpx.HTTPError):
                answer = client.post(url, json=message)
                if answer.status_code == httpx.codes.ACCEPTED:
                    self.found.answers_ms.append(1000 * (time.monotonic() - asked))
                    return
            time.sleep(0.5)

    def _approve(self) -> None:
        """Do what a person does: order a run again that died, and say yes to what was found.

        A killed kernel ends its run, and the service does not repeat what kills kernels.
        """
        for folder in self._known():
            timeline = Timeline(folder.timeline)
            ended = timeline.last(Ended)
            if ended is None or self._has_live_order(folder.name):
                continue
            is_approved = timeline.last(Approved) is not None
            if ended.complete and not is_approved and timeline.last(Decided):
                approve_last(self._incidents, folder.name, option="A", by="ada")
                self._order(folder.name)
            elif not ended.complete:
                self._order(folder.name)

    def _has_live_order(self, incident: str) -> bool:
        with connected(os.environ["BURST_STORE"]) as connection:
            live = Orders(connection).listed("queued", "running")
            return any(order.incident == incident for order in live)

    def _order(self, incident: str) -> None:
        with connected(os.environ["BURST_STORE"]) as connection:
            Orders(connection).place(
                incident=incident,
                runbook="burst",
                environment="burst",
                parameters={"environment": "burst"},
                cause="ada",
            )

    def _is_done(self, fingerprints: int) -> bool:
        """Tell whether a run of every incident acted or could, and no order has still to end."""
        timelines = [Timeline(each.timeline) for each in self._known()]
        whole = [each for each in timelines if (last := each.last(Ended)) and last.complete]
        approved = sum(1 for each in whole if each.last(Approved))
        with connected(os.environ["BURST_STORE"]) as connection:
            live = Orders(connection).listed("queued", "running")
            waiting = connection.execute("select from runbook.delivery where taken_at is null")
            return approved >= fingerprints and not live and not waiting.fetchall()

    def _kill(self) -> None:
        kind = self._random.choice(("service", "run", "run", "kernel", "kernel", "postgres"))
        if kind == "postgres":
            with suppress(DatabaseServerError):
                send(self._server.pid, signal.SIGKILL)
                self.kills[kind] += 1
            return
        found = [pid for pid, what in self._processes() if what == kind]
        if found:
            send(self._random.choice(found), signal.SIGKILL)
            self.kills[kind] += 1

    def _processes(self) -> Iterator[tuple[int, str]]:
        """Find all that belongs to this burst, by the project in its environment."""
        for place in dict.fromkeys(self._places):
            for pid, line in processes_with("RUNBOOK_PROJECT", place):
                words = line.split("\0")
                yield pid, next((what for word, what in KINDS if word in words), "other")


def main() -> int:
    """Blow, judge and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--alerts", type=int, default=1000, help="of each of the two senders")
    parser.add_argument("--fingerprints", type=int, default=60, help="different alerts")
    parser.add_argument("--machines", type=int, choices=(1, 3), default=3)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=10.0, help="that the senders take")
    parser.add_argument("--seed", type=int, default=time.time_ns() % 1_000_000)
    given = parser.parse_args()
    print(f"seed {given.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="runbook-burst-") as folder:
        Path(folder).chmod(0o711)
        burst = Burst(Path(folder), seed=given.seed, machines=given.machines)
        began = time.monotonic()
        burst.begin()
        try:
            burst.blow(
                alerts=given.alerts,
                fingerprints=given.fingerprints,
                kills=given.kills,
                within_s=given.seconds,
            )
            took = time.monotonic() - began
            burst._start_again()
            found = burst.judge()
        finally:
            burst.end()
    slow = sorted(found.answers_ms)
    print(
        f"{took:.0f} s, killed: {dict(burst.kills)}"
        f"\nanswers: {len(slow)}, median {slow[len(slow) // 2]:.0f} ms, "
        f"99 of 100 within {slow[len(slow) * 99 // 100]:.0f} ms"
        f"\nincidents: {found.incidents} of {given.fingerprints}; orders: {dict(found.orders)}"
        f"\nmessages that nobody took in: {found.waiting}"
        f"\neffects: {found.effects}; twice: {len(found.twice)} {found.twice}"
        f"\nnot told, or told and not done: {len(found.not_told)} {found.not_told}"
        f"\nnever done: {len(found.never)} {found.never}"
        f"\nleft to a person: {len(found.unsettled)} {found.unsettled}"
        f"\nchains broken: {len(found.broken)} {found.broken}"
        f"\nother than in the store: {len(found.apart)} {found.apart}"
    )
    lost = found.waiting or found.incidents != given.fingerprints or set(found.orders) != {"done"}
    lost = lost or set(found.never) - set(found.unsettled)
    return 1 if lost or found.twice or found.not_told or found.broken or found.apart else 0


if __name__ == "__main__":
    sys.exit(main())
