"""The whole way on one machine: real HTTP, a real queue, real kernels, and processes that die."""

import asyncio
import configparser
import io
import json
import os
import signal
import subprocess
import tempfile
import time
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import httpx
import psycopg
import pytest
import yaml
from procrastinate.exceptions import ConnectorException
from psycopg.conninfo import conninfo_to_dict
from running_service import RUNBOOK, Service, below

from runbook_nb.errors import ParameterError, SettingMissingError, StoreUnavailableError
from runbook_nb.incident.declaration import declaration_of
from runbook_nb.runbook.runbook import Runbook
from runbook_nb.runs.engine.progress import for_stream
from runbook_nb.service import server as serving
from runbook_nb.service import worker as working
from runbook_nb.service.orders import Orders
from runbook_nb.service.queue import GRACE_S, SWEEP_S, Queue, prepare_queue
from runbook_nb.service.workers import CUT_WITHIN_S
from runbook_nb.timeline.events import Checked, Decided, Ended, Noted, Started
from runbook_nb.timeline.folder import IncidentsFolder
from runbook_nb.timeline.store.database import connected, grant, migrate
from runbook_nb.timeline.store.embedded.processes import commands, wait_until
from runbook_nb.timeline.store.embedded.server import PostgresServer
from store_server import own_role

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

ALERT = {
    "status": "firing",
    "labels": {"alertname": "QueueWaitHigh", "severity": "critical"},
    "fingerprint": "f1",
    "startsAt": "2026-11-27T19:00:00Z",
}


def test_an_alert_becomes_a_diagnosed_incident_by_itself(service, team):
    """From the message to the decision; what would change something waits for a person."""
    assert service.send(ALERT).status_code == 202
    assert wait_until(lambda: service.orders("done"), within_s=60)

    (order,) = service.orders("done")
    events = team.told(order.incident)
    kinds = [type(event) for event in events]
    assert kinds.count(Started) == kinds.count(Ended) == 1
    assert {Checked, Decided} <= set(kinds)
    assert (order.result["verdict"], order.result["complete"]) == ("unknown", True)
    assert wait_until(lambda: service.said("order ended"), within_s=20)
    assert service.said("order ended")[0]["order"] == order.id

    text = httpx.get(f"{service.url}/metrics")
    assert text.headers["content-type"].startswith("application/openmetrics-text")
    assert 'runbook_verdicts{verdict="unknown"} 1' in text.text
    assert "runbook_stalls 0\n" in text.text
    assert "runbook_time_to_verdict_seconds_count 1\n" in text.text
    assert text.text.endswith("# EOF\n")
    assert httpx.get(f"{service.url}/health").json()["done"] == 1
    assert service.end() == 0


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGKILL])
def test_workers_wait_ready_and_end_with_the_service(warm, token, signum):
    """An order is handed to one of them; none is left behind, however the service ends."""
    service = Service(warm, token, "--port", "0")
    pid_of_service = service.process.pid

    def waiting():
        commands = [Path(f"/proc/{pid}/cmdline").read_bytes() for pid in below(pid_of_service)]
        return [each for each in commands if b"--parked" in each]

    try:
        assert wait_until(lambda: len(waiting()) == 2, within_s=30)
        assert wait_until(lambda: len(below(pid_of_service)) >= 7, within_s=30), "each has a kernel"
        assert service.send(ALERT).status_code == 202
        assert wait_until(lambda: service.orders("done"), within_s=60)
        assert service.said("order begins")[0]["ready"]
        assert wait_until(lambda: len(waiting()) == 2, within_s=30)
        left = below(pid_of_service)
    finally:
        service.end(signum)
    assert wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in left), within_s=30)


def test_what_is_forged_or_unknown_or_too_large_is_refused_and_not_kept(service, team):
    """401, 404 and 413; nothing of it is in the store."""
    assert service.send(ALERT, authorization="Bearer guess").status_code == 401
    assert service.send(ALERT, accept="*/*").status_code == 401
    for source in ("pagerduty", "nobody"):
        answer = httpx.post(f"{service.url}/hooks/{source}", content=b"{}")
        assert (answer.status_code, "alertmanager" in answer.text) == (404, True)
    large = httpx.post(f"{service.url}/hooks/alertmanager", content=b" " * 20_000_001)
    assert large.status_code == 413
    assert httpx.get(f"{service.url}/hooks/alertmanager").status_code == 405
    with connected(team.dsn) as connection:
        assert not connection.execute("select from runbook.delivery").fetchall()


def test_what_nobody_answers_is_kept_and_accepted(service, team):
    """An error would be repeated for ever by its sender."""
    body = {"authorization": f"Bearer {service.token}"}
    answer = httpx.post(f"{service.url}/hooks/alertmanager", content=b"\x00", headers=body)
    assert answer.status_code == 202
    assert service.send({**ALERT, "labels": {"alertname": "Nobody"}}).status_code == 202
    assert wait_until(lambda: len(service.said("delivery")) == 2, within_s=20)
    assert not service.orders("queued", "running", "done")


def test_asked_to_end_while_its_store_is_away_it_ends(warm, token, monkeypatch):
    """With the workers that wait; before that, a page says what is away."""
    with tempfile.TemporaryDirectory(prefix="runbook-store-") as folder:
        Path(folder).chmod(0o711)
        server = PostgresServer(Path(folder) / "server")
        server.start()
        dsn = server.dsn()
        migrate(dsn)
        monkeypatch.setenv("RUNBOOK_STORE", dsn)
        service = Service(replace(warm, dsn=dsn), token, "--port", "0")
        assert wait_until(lambda: len(below(service.process.pid)) >= 7, within_s=30)
        left = below(service.process.pid)
        server.stop()
        assert wait_until(lambda: service.said("store lost"), within_s=30)
        health = httpx.get(f"{service.url}/health", timeout=20)
        assert (health.status_code, health.json()["said"]) == (503, "The store is away.")
        # Not while it pauses, but while its library waits for the store.
        lost = len(service.said("store lost"))
        assert wait_until(lambda: len(service.said("store lost")) >= lost + 2, within_s=30)
        time.sleep(2.5)
        began = time.monotonic()
        assert service.end() == 0
        assert time.monotonic() - began < GRACE_S
    assert wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in left), within_s=30)


def test_a_lost_store_in_the_place_of_a_cancelling_ends_the_queue_all_the_same(team, monkeypatch):
    """The library does so where it is cancelled while it waits for a connection: one in three."""

    async def lost(**_how):
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            raise ConnectorException from None

    async def run():
        queue, ends = Queue(team.settings, team.incidents), asyncio.Event()
        monkeypatch.setattr(queue.app, "run_worker_async", lost)
        asyncio.get_running_loop().call_later(0.5, ends.set)
        await asyncio.wait_for(queue.run(slots=1, ends=ends), 30)

    asyncio.run(run())


def test_a_killed_service_loses_nothing(service, team):
    """Killed as soon as it had accepted; the next one goes on."""
    assert service.send(ALERT).status_code == 202
    service.end(signal.SIGKILL)
    service.start()
    assert wait_until(lambda: service.orders("done"), within_s=90), service.log.read_text()
    (order,) = service.orders("done")
    assert sum(isinstance(event, Started) for event in team.told(order.incident)) >= 1
    assert len(list(team.incidents.glob("INC-*"))) == 1


def test_asked_to_end_it_lets_a_run_end(service, team):
    """Nothing new is begun; the order that ran is done, whole."""
    service.send(ALERT)
    assert wait_until(lambda: service.orders("running"), within_s=30)
    assert service.end() == 0
    (order,) = service.orders("done")
    assert order.result["complete"] is True
    assert (order.attempts, order.fence) == (1, 1)


def test_an_order_is_worked_once_by_whoever_asks(team):
    """Two that work the same order: one runs it, the other has nothing to do."""
    order = placed(team)
    both = [worker(team, order) for _ in range(2)]
    told = [each.communicate(timeout=90)[0] for each in both]
    assert sorted(each.returncode for each in both) == [0, 3]  # unknown: no lab runs
    assert any("nothing to do" in text for text in told)
    again = worker(team, order)
    assert "nothing to do" in again.communicate(timeout=60)[0]
    (kept,) = orders_of(team, "done")
    assert (kept.fence, kept.result["verdict"]) == (1, "unknown")


def test_a_frozen_worker_that_wakes_says_nothing_that_counts(team):
    """Another one took its order over and ended it."""
    order = placed(team)
    frozen = worker(team, order)
    assert wait_until(lambda: orders_of(team, "running"), within_s=30)
    assert wait_until(lambda: started(team), within_s=30)
    os.kill(frozen.pid, signal.SIGSTOP)
    with connected(team.dsn) as connection:
        assert Orders(connection).sweep(stall_s=0, attempts=3)[0].id == order
    heir = worker(team, order)
    heir.communicate(timeout=90)
    (done,) = orders_of(team, "done")
    os.kill(frozen.pid, signal.SIGCONT)
    words = frozen.communicate(timeout=90)[1]

    assert orders_of(team, "done") == [done]
    assert done.fence == 2
    assert "another worker" in words
    runs = [each for each in team.told(done.incident) if isinstance(each, Started)]
    assert [(each.order, each.attempt) for each in runs] == [(order, 1), (order, 2)]


def test_a_run_that_is_cut_off_gives_its_order_back(team):
    """By SIGTERM, as a deploy sends it: the attempt does not count."""
    order = placed(team)
    running = worker(team, order)
    assert wait_until(lambda: started(team), within_s=30)
    running.send_signal(signal.SIGTERM)
    _, words = running.communicate(timeout=60)
    assert "waits again" in words
    (kept,) = orders_of(team, "queued")
    assert (kept.attempts, kept.fence) == (0, 1)

    worker(team, order).communicate(timeout=90)
    (kept,) = orders_of(team, "done")
    runs = [each for each in team.told(kept.incident) if isinstance(each, Started)]
    assert (kept.attempts, kept.fence) == (1, 2)
    assert [(each.order, each.attempt) for each in runs] == [(order, 1), (order, 1)]


def test_a_run_that_cannot_begin_ends_its_order_with_the_reason(team):
    """The runbook was renamed since."""
    order = placed(team, runbook="gone")
    running = worker(team, order)
    _, words = running.communicate(timeout=60)
    assert running.returncode == 3
    assert "gone" in words
    assert "gone" in orders_of(team, "done")[0].result["problem"]


def test_an_order_that_dies_each_time_is_given_up_and_said(service, team):
    """On its timeline, and what to do next."""
    order = placed(team)
    with connected(team.dsn) as connection:
        connection.execute(
            "update runbook.orders set state = 'running', attempts = 3, fence = 3, "
            "beat_at = clock_timestamp() - interval '1 hour' where id = %s",
            [order],
        )
    assert wait_until(lambda: service.orders("given_up"), within_s=20)

    def noted():
        return [event for event in team.told("INC-7") if isinstance(event, Noted)]

    assert wait_until(noted, within_s=10)
    assert f"runbook queue retry {order}" in noted()[0].text
    assert wait_until(lambda: service.orders("given_up")[0].result, within_s=10)
    with connected(team.dsn) as connection:
        assert Orders(connection).untold() == []
        assert not Orders(connection).tell(order, "again")
        assert Orders(connection).retry(order).result is None


def test_a_busy_environment_makes_orders_wait_and_then_works_them(team, token):
    """One at once; the second is rung for when the first ends."""
    file = team.root / "runbook.toml"
    file.write_text(file.read_text().replace("[serve]\n", "[serve]\nat_most = 1\n"))
    service = Service(team, token, "--port", "0", "--slots", "4")
    try:
        service.send(ALERT, {**ALERT, "fingerprint": "f2"}, {**ALERT, "fingerprint": "f3"})
        assert wait_until(lambda: len(service.orders("done")) == 3, within_s=120)
        spans = sorted((each.began_at, each.ended_at) for each in service.orders("done"))
        assert all(ended <= began for (_, ended), (began, _) in pairwise(spans))
        assert len(service.said("order begins")) == 3, "none is begun for nothing"
    finally:
        service.end()


def test_another_engine_is_asked_once_and_has_time_to_begin(team, token):
    """However often the service looks for what waits; a second one waits for its place."""
    file = team.root / "runbook.toml"
    engine = 'at_most = 1\nhand_over = ["sh", "-c", "echo $0 >> handed"]\n'
    file.write_text(file.read_text().replace("[serve]\n", f"[serve]\n{engine}"))
    service = Service(team, token, "--port", "0")
    try:
        service.send(ALERT, {**ALERT, "fingerprint": "f2"})
        assert wait_until(lambda: len(service.orders("queued")) == 2, within_s=30)
        handed = team.root / "handed"
        assert wait_until(handed.exists, within_s=30)
        time.sleep(2 * SWEEP_S + 1)
        (first,) = handed.read_text().split()
        worked = typed(team, "work", first)
        assert worked.returncode == 3, "nothing could be read, which is a verdict"
        assert wait_until(lambda: len(handed.read_text().split()) == 2, within_s=30)
        assert len(set(handed.read_text().split())) == 2
    finally:
        service.end()


def test_a_taken_port_is_refused_before_anything_begins(service, team):
    """By its number."""
    port = service.url.rpartition(":")[2]
    done = typed(team, "serve", "--port", port)
    assert done.returncode == 3
    assert f"port {port}: Address already in use. Try another --port." in done.stderr


def test_examples_of_other_engines_are_whole(team):
    """Each is read by what reads it, and names this project or an order."""

    def example(name):
        done = typed(team, "serve", "--example", name, "--slots", "3")
        assert done.returncode == 0, done.stderr
        return done.stdout

    (job,) = yaml.safe_load_all(example("kubernetes"))
    work = job["spec"]["template"]["spec"]["containers"][0]["command"]
    assert (job["kind"], work[-1]) == ("Job", "runbook work ORDER; test $? -lt 3")
    dag = example("airflow")
    assert compile(dag, "dag.py", "exec")
    assert f'PROJECT = "{team.root}"' in dag
    assert "max_active_runs=3" in dag
    lines = [line for line in example("container").splitlines() if line and line[0] != "#"]
    known = {*("FROM", "RUN", "COPY", "USER", "WORKDIR", "VOLUME"), *("STOPSIGNAL", "ENTRYPOINT")}
    assert {line.split()[0] for line in lines} == {*known, "CMD"}
    assert json.loads(lines[-1].removeprefix("CMD "))[:2] == ["serve", "--host"]
    wrong = typed(team, "serve", "--example", "nomad")
    assert (wrong.returncode, "kubernetes" in wrong.stderr) == (3, True)


def test_a_unit_for_systemd_serves_this_project(team):
    """With this installation, and time for a run to end."""
    done = typed(team, "serve", "--example", "systemd", "--port", "9000")
    unit = configparser.ConfigParser(interpolation=None)
    unit.optionxform = str
    unit.read_string(done.stdout)
    service = unit["Service"]
    assert service["WorkingDirectory"] == str(team.root)
    program, *words = service["ExecStart"].split()
    assert Path(program).is_absolute()
    assert words == ["serve", "--host", "127.0.0.1", "--port", "9000", "--slots", "2"]
    assert int(service["TimeoutStopSec"]) > GRACE_S + CUT_WITHIN_S


def test_an_address_that_others_reach_is_refused(team):
    """Nothing here encrypts."""
    for host in ("0.0.0.0", "::", "example.com"):  # noqa: S104 - refused
        with pytest.raises(ParameterError, match="proxy"):
            serving.serve(team.settings, team.incidents, slots=1, host=host, port=0)


@pytest.mark.parametrize("words", [["queue"], ["work", "O-1"], ["serve"], ["store", "check"]])
@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("hello hunter2hunter2", "no address of a PostgreSQL"),
        ("postgresql://a:hunter2hunter2@[::1/x", "no address of a PostgreSQL"),
        ("postgresql://a:hunter2hunter2@127.0.0.1:9/x", "cannot be reached"),
    ],
)
def test_a_store_that_cannot_be_used_is_one_sentence(team, monkeypatch, words, address, said):
    """For every command, and without its password."""
    monkeypatch.setenv("RUNBOOK_STORE", address)
    done = typed(team, *words)
    assert done.returncode == 3
    assert said in done.stderr
    assert "hunter2" not in done.stdout + done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_store_without_its_tables_says_how_to_make_them(team):
    """Before anything is tried."""
    with psycopg.connect(team.dsn, autocommit=True) as connection:
        connection.execute("drop schema runbook cascade")
    for words in (["queue"], ["work", "O-1"], ["serve"], ["queue", "retry", "O-1"]):
        done = typed(team, *words)
        assert (done.returncode, "runbook store migrate" in done.stderr) == (3, True)


def test_a_role_without_rights_is_one_sentence(team, monkeypatch):
    """It names what is missing."""
    with psycopg.connect(team.dsn, autocommit=True) as connection:
        connection.execute("drop role if exists nobodys")
        connection.execute("create role nobodys login password 'hunter2hunter2'")
    told = conninfo_to_dict(team.dsn)
    address = "postgresql://nobodys:hunter2hunter2@{host}:{port}/{dbname}".format(**told)
    monkeypatch.setenv("RUNBOOK_STORE", address)
    for words in (["queue"], ["store", "check"], ["store", "migrate"], ["serve"]):
        done = typed(team, *words)
        assert done.returncode == 3
        assert "permission denied" in done.stderr
        assert "bug" not in done.stderr


def test_a_store_in_a_platforms_own_database_is_refused(team):
    """The runbooks would repair what they are kept in."""
    file = team.root / "runbook.toml"
    own = '[environments.staging]\nkind = "staging"\n[environments.staging.database]\n'
    file.write_text(file.read_text() + own + 'reader = "env:RUNBOOK_STORE"\n')
    with pytest.raises(SettingMissingError, match=r"'database'.*'staging'"):
        serving.serve(team.settings, team.incidents, slots=1)
    with pytest.raises(SettingMissingError, match="a database of its own"):
        team.settings.store.address()


def test_only_the_queue_knows_procrastinate():
    """What would have to be replaced is one module."""
    source = Path(serving.__file__).parents[1]
    users = [
        str(file.relative_to(source))
        for file in source.rglob("*.py")
        if "procrastinate import" in file.read_text(encoding="utf-8")
    ]
    assert users == ["service/queue.py"]


def typed(team, *words):
    """Type a command in the team's project, and return how it ended."""
    return subprocess.run(
        [*RUNBOOK, *words], cwd=team.root, capture_output=True, text=True, check=False, timeout=60
    )


def placed(team, runbook="queue_backlog"):
    """Open an incident and order a run in it."""
    declaration, _ = declaration_of(Runbook.find("queue_backlog"), {}, by="test")
    declaration.declare(team.incidents, incident="INC-7")
    with connected(team.dsn) as connection:
        return Orders(connection).place(
            incident="INC-7",
            runbook=runbook,
            environment="lab",
            parameters={"environment": "lab"},
            cause="test",
        )[0]


def worker(team, order):
    return subprocess.Popen(
        [*RUNBOOK, "work", order],
        cwd=team.root,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def orders_of(team, *states):
    with connected(team.dsn) as connection:
        return Orders(connection).listed(*states)


def started(team):
    """Tell whether a run of the order has begun."""
    return any(isinstance(event, Started) for event in team.told("INC-7"))


def test_what_is_due_is_validated_at_its_time(team, token):
    """By one of two services, with the lab, once: then it is due no more."""
    with (team.root / "runbook.toml").open("a") as file:
        # The sixth word are seconds, so that a test need not wait for a minute.
        file.write('[serve.schedule]\nvalidate = "* * * * * */10"\n')
    page = team.root / "notebooks" / "queue_backlog.md"
    assert "last_validated: ''" in page.read_text()
    first = Service(team, token, "--port", "0")
    second = Service(team, token, "--port", "0")
    try:
        assert wait_until(
            lambda: first.said("validation ended") or second.said("validation ended"), within_s=150
        )
        ended = [*first.said("validation ended"), *second.said("validation ended")]
        assert ended[0]["exit_code"] == 0, ended[0]["said"]
        assert "queue_backlog: validated on" in ended[0]["said"]
        assert f"last_validated: '{datetime.now(UTC):%Y-%m-%d}'" in page.read_text()
        times = [
            each["scheduled_at"]
            for one in (first, second)
            for each in one.said("validation begins")
        ]
        assert len(times) == len(set(times))
        left = [each for each in commands().values() if str(team.root / "lab") in each]
        assert not left, "a lab that a validation began ends with it"
    finally:
        for each in (first, second):
            each.end()


def test_a_run_that_the_store_could_not_take_is_begun_again_and_counted(team, monkeypatch):
    """It is not ended, and it is not begun for ever either."""

    def lost(*_given, **_told):
        message = "The store cannot be reached."
        raise StoreUnavailableError(message)

    monkeypatch.setattr(working, "_run", lost)
    with connected(team.dsn) as connection:
        orders = Orders(connection)
        order, _ = orders.place(
            incident="INC-1", runbook="queue_backlog", environment="lab", parameters={}, cause="a"
        )
        progress = for_stream(io.StringIO())
        asked = {"settings": team.settings, "incidents": team.incidents, "progress": progress}
        worked = working.work(order, **asked)
        assert "cannot be reached" in worked.problem
        assert (orders.read(order).state, orders.read(order).attempts) == ("running", 1)
        connection.execute("update runbook.orders set beat_at = now() - interval '1 hour'")
        (swept,) = orders.sweep(stall_s=30, attempts=3)
        assert (swept.state, swept.attempts) == ("queued", 1)


def test_a_role_that_only_adds_is_enough_for_the_service(team, token, monkeypatch):
    """From the alert to the end of its run, with the timelines in the store."""
    file = team.root / "runbook.toml"
    file.write_text(file.read_text().replace("[store]\n", "[store]\ntimelines = true\n"))
    prepare_queue(team.dsn)
    with own_role(team.dsn) as limited:
        grant(team.dsn, "app_role")
        monkeypatch.setenv("RUNBOOK_STORE", limited)
        service = Service(team, token, "--port", "0")
        try:
            service.send(ALERT)
            assert wait_until(lambda: service.orders("done"), within_s=60)
        finally:
            service.end()
        (order,) = service.orders("done")
        assert order.result["complete"], order.result
        with connected(team.dsn) as connection:
            kept = connection.execute("select line from runbook.event order by seq").fetchall()
    lines = b"".join(bytes(each["line"]) for each in kept)
    assert lines == IncidentsFolder(team.incidents).incident(order.incident).timeline.read_bytes()
