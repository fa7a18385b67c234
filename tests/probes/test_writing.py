"""What an action changes is told before it is committed, and rolled back where it cannot be."""

import os
import shutil
import signal
import tempfile
import threading
from pathlib import Path

import httpx
import psycopg
import pytest

from runbook_nb.errors import ActionError
from runbook_nb.incident.dispatch import rehearse
from runbook_nb.packs.control_plane.lab.lab import Lab
from runbook_nb.probes.calls import Action
from runbook_nb.probes.environment import Environment, load_settings
from runbook_nb.probes.writing import NoJournal
from runbook_nb.timeline.store.embedded.processes import wait_until
from runbook_nb.timeline.store.embedded.server import PostgresServer

pytestmark = pytest.mark.lab

# Whoever has an id of a transaction has changed something, for all that the server knows.
CHANGE = "select pg_current_xact_id()::text as id"
AGENT = {"url": "http://127.0.0.1:9"}  # nobody listens there


@pytest.fixture
def status(lab):
    """Return what became of a transaction, as another connection sees it."""
    with psycopg.connect(Lab(lab.folder).dsn(), autocommit=True) as watching:
        yield lambda own: watching.execute("select pg_xact_status(%s::xid8)", [own]).fetchone()[0]


@pytest.fixture
def environment(lab):
    return Environment(
        "trial", {"kind": "lab", "database": load_settings()["lab"]["database"], "agent": AGENT}
    )


@pytest.fixture
def journal(status):
    """Keep what is told, and how its transaction stands at that moment."""

    class Told(NoJournal):
        attempt, told, histories, refuses = "run-1.2", [], [], False

        def sending(self, system, *, transaction="", history="", last=False):
            if self.refuses:
                raise ActionError("It was cut off.")
            self.histories.append(history)
            self.told.append((system, transaction and status(transaction), last))

    return Told()


@pytest.fixture
def systems(environment, journal):
    found = environment.writing([], journal)
    yield found
    found.close()


def test_a_transaction_is_told_before_it_is_committed(systems, journal, status):
    """Whoever comes after a crash in between can ask for it."""
    own = systems.database().value(CHANGE)
    assert (journal.told, status(own)) == ([], "in progress")
    systems.commit(last=True)

    assert journal.told == [("database", "in progress", True)]
    assert journal.histories == ["00000001"]  # The lab was never promoted.
    assert status(own) == "committed"


def test_a_transaction_that_cannot_be_told_is_rolled_back(systems, journal, status):
    """Nobody waits for it any more, or the disk is full."""
    own, journal.refuses = systems.database().value(CHANGE), True
    with pytest.raises(ActionError):
        systems.commit(last=True)

    assert status(own) == "aborted"


def test_what_is_held_back_is_committed_before_something_else_is_sent(systems, journal, status):
    """The order of the effects is that of the action; what cannot be asked for is told once."""
    own = systems.database().value(CHANGE)
    for method in ("POST", "GET", "POST"):
        with pytest.raises(httpx.ConnectError):
            systems.http("agent").request(method, "/restart")

    assert journal.told == [("database", "in progress", False), ("agent", "", False)]
    assert status(own) == "committed"


def test_what_only_reads_is_not_told(systems, journal):
    """Else every action would be one that may be half done."""
    assert systems.database().value("select 1") == 1
    with pytest.raises(httpx.ConnectError):
        systems.http("agent").get("/health")
    systems.commit(last=True)

    assert journal.told == []


def test_a_rehearsal_that_changes_something_is_rolled_back_and_named(environment, status):
    """Also where it forgot to say so."""
    own = []

    def forgets(systems):
        with systems.database().transaction():
            own.append(systems.database().value(CHANGE))

    action = Action(
        name="tests.change",
        arguments={},
        timeout_s=20,
        run=lambda _systems: None,
        rehearse=forgets,
    )
    shown, broken = rehearse(action, environment)

    assert "was rolled back" in broken
    assert shown["could not be rehearsed"] == broken
    assert [status(each) for each in own] == ["aborted"]


@pytest.mark.parametrize("rollback", [True, False])
def test_a_snapshot_of_an_action_sees_one_moment(systems, environment, rollback):
    """That of another connection where it is told; the transaction after it sees now again."""
    database, other = systems.database(), environment.writing([], NoJournal())
    level = "select current_setting('transaction_isolation') as level"
    with database.transaction(snapshot=True):
        moment = database.moment()
        with other.database().transaction(rollback=rollback, moment=moment):
            assert other.database().value(level) == "repeatable read"
    with other.database().transaction():
        assert other.database().value(level) == "read committed"
    other.close()


def test_a_snapshot_within_a_transaction_is_refused(systems):
    """Its level can be set before the first question only, and the outer one has asked."""
    snapshot = systems.database().transaction(snapshot=True)
    with (
        systems.database().transaction(),
        pytest.raises(ActionError, match="cannot begin within another"),
    ):
        snapshot.__enter__()


@pytest.fixture
def server():
    """Give a PostgreSQL server that may be killed."""
    # pytest's own folders are closed to the server's account when root runs the tests.
    folder = Path(tempfile.mkdtemp(prefix="lab-"))
    folder.chmod(0o711)
    server = PostgresServer(folder)
    server.start()
    yield server
    server.stop()
    shutil.rmtree(folder)


@pytest.fixture
def own_database(server, tmp_path):
    """Give connections to it for an action, and what the journal was told."""
    file = tmp_path / "writer.dsn"
    file.write_text(server.dsn())

    class Told(NoJournal):
        attempt, told, then = "run-1.2", [], staticmethod(lambda: None)

        def sending(self, _system, *, transaction="", **_last):
            self.told.append(transaction)
            self.then()

    journal = Told()
    settings = {"reader": f"file:{file}", "writer": f"file:{file}"}
    found = Environment("own", {"kind": "lab", "database": settings}).writing([], journal)
    with psycopg.connect(server.dsn(), autocommit=True) as admin:
        admin.execute("create table effects (number int)")
    yield found.database(), journal
    found.close()


def test_a_crash_gives_the_id_of_a_lost_transaction_to_no_other_one(server, own_database):
    """Else another one's commit would tell that this one was done."""
    database, journal = own_database
    backend = int(database.value("select pg_backend_pid()"))

    def crash():
        # A backend may still commit before it notices that its server is gone.
        for process in (server.pid, backend):
            os.kill(process, signal.SIGKILL)
        wait_until(lambda: not server.running, within_s=30)

    journal.then = crash
    database.rows("insert into effects values (1) returning number")
    with pytest.raises(psycopg.OperationalError):
        database.commit(last=True)
    server.start()

    (told,) = journal.told
    with psycopg.connect(server.dsn(), autocommit=True) as admin:
        for _ in range(3):
            admin.execute("insert into effects values (2)")
        status = admin.execute("select pg_xact_status(%s::xid8)", [told]).fetchone()[0]
        effects = admin.execute("select count(*) from effects where number = 1").fetchone()[0]
    assert (status, effects) == ("aborted", 0)


@pytest.mark.parametrize("others_commit", [True, False])
def test_a_server_that_cannot_be_told_to_write_its_log_is_waited_for(
    server, own_database, others_commit
):
    """As one before version 17; where it does not in time, the id is not told as if it held."""
    database, journal = own_database
    with psycopg.connect(server.dsn(), autocommit=True) as admin:
        for kind in ("text", "bytea"):
            own = f"pg_logical_emit_message(boolean, text, {kind}, boolean)"
            admin.execute(f"alter function {own} rename to emit_message_of_17")
        # Else it writes a quiet log out by itself, five times a second.
        admin.execute("alter system set wal_writer_delay = '10s'")
        admin.execute("select pg_reload_conf()")
        admin.execute("select pg_sleep(0.5)")
        database.rows("insert into effects values (1) returning number")
        ended = threading.Event()

        def commit_now_and_then():
            while others_commit and not ended.wait(0.1):
                admin.execute("insert into effects values (2)")

        others = threading.Thread(target=commit_now_and_then)
        others.start()
        database.commit(last=True)
        ended.set()
        others.join()

    assert [bool(told) for told in journal.told] == [others_commit]
