"""Reading cannot write: through any pooler, by any statement, and to no other host."""

import http.server
import re
import threading
from contextlib import suppress

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from relay import relay

from runbook_nb.errors import NoAnswerError, SettingMissingError, WriteRefusedError
from runbook_nb.incident.dispatch import rehearse
from runbook_nb.packs.control_plane.lab.lab import Lab
from runbook_nb.probes.calls import Action, Probe
from runbook_nb.probes.connections import Database, Http
from runbook_nb.probes.environment import Environment

# Told as a question: what turns it away is the database.
UPDATE = (
    "with changed as (update missions set updated_at = updated_at returning id) "
    "select id from changed"
)


@pytest.fixture
def writer(lab):
    """The connection string of a role that may write."""
    return Lab(lab.folder).dsn("runbook_writer")


def reading(dsn, timeout_s=5.0):
    return Database(dsn, read_only=True, timeout_s=timeout_s, asked=[])


def ask(database, statements):
    for statement in statements:
        database.rows(statement)


@pytest.mark.parametrize("refuses", [False, True], ids=["drops options", "refuses options"])
def test_through_a_pooler_that_knows_no_options_nothing_is_written(writer, refuses):
    """Also as a role that could; and a statement that takes too long is ended."""
    port = int(re.search(r":(\d+)/", writer)[1])
    with relay(port, refuses=refuses) as (through, seen):
        dsn = writer.replace(f":{port}/", f":{through}/")
        database = reading(dsn, timeout_s=0.3)

        assert database.value("select count(*) from missions") > 0
        with pytest.raises(WriteRefusedError):
            database.rows(UPDATE)
        with pytest.raises(psycopg.errors.QueryCanceled):
            database.rows("select pg_sleep(30)")
        database.close()
    assert all("options" not in asked for asked in seen)
    assert seen


@pytest.mark.parametrize(
    "attempt",
    [
        ["set default_transaction_read_only = off", UPDATE],
        ["set transaction read write", UPDATE],
        ["set session characteristics as transaction read write", UPDATE],
        ["commit", UPDATE],
        ["rollback", "begin read write", UPDATE],
        [f"commit; {UPDATE}"],
        ["select set_config('transaction_read_only', 'off', false)", UPDATE],
        ["select lo_create(0)"],
        ["select pg_logical_emit_message(true, 'x', 'y')", "select nextval('none')"],
    ],
    ids=lambda each: each[0][:30],
)
def test_no_statement_of_a_probe_turns_reading_into_writing(writer, attempt):
    """Each is tried as a role that may write."""
    with psycopg.connect(writer, autocommit=True) as watching:
        before = watching.execute("select max(xmin::text::bigint) from missions").fetchone()
        database = reading(writer)
        with pytest.raises((WriteRefusedError, psycopg.Error)):
            ask(database, attempt)
        with pytest.raises((WriteRefusedError, psycopg.Error)), database.transaction():
            ask(database, [*attempt, UPDATE])
        database.close()
        after = watching.execute("select max(xmin::text::bigint) from missions").fetchone()
    assert after == before


def test_a_transaction_that_may_write_is_asked_nothing(writer):
    """What stands between may drop the words READ ONLY; the server itself has to say so."""
    database = reading(writer)
    database.value("select 1")
    database._connection.read_only = False  # as a pooler might have it
    with pytest.raises(WriteRefusedError, match="may write"):
        database.rows("select 1")
    database.close()


def test_what_was_cut_off_stays_closed(writer):
    """Its next question opens no other connection, which would be one without an end."""
    database = reading(writer)
    assert database.value("select 1") == 1
    database.close()

    with pytest.raises(NoAnswerError):
        database.rows("select 1")
    client = Http("http://127.0.0.1:9", headers={}, read_only=True, timeout_s=1, asked=[])
    client.close()
    with pytest.raises(RuntimeError):
        client.get("/")


def test_a_probe_that_is_late_asks_nothing_more(lab):
    """It goes on in its thread, with connections that are closed for good."""
    asked, went_on = [], threading.Event()

    def run(systems):
        with suppress(psycopg.Error):
            systems.database().rows("select pg_sleep(30)")
        try:
            systems.database().rows("select 'more'")
        except NoAnswerError:
            went_on.set()

    probe = Probe(name="tests.late", arguments={}, timeout_s=0.5, run=run)
    systems = Environment.load("lab").reading(asked, timeout_s=10)
    with pytest.raises(TimeoutError):
        probe.read(systems)
    assert went_on.wait(10)


def test_the_time_of_a_call_is_the_time_of_its_statements(lab):
    """One that may take an hour is not ended after a minute, and a short one not later."""
    for timeout_s, told in ((3_600, "1h"), (0.25, "250ms")):
        systems = Environment.load("lab").reading([], timeout_s=timeout_s)
        assert systems.database().value("select current_setting('statement_timeout')") == told
        systems.close()
        writing = Environment.load("lab").writing([], timeout_s=timeout_s)
        with writing.database().transaction(rollback=True):
            told_here = writing.database().value("select current_setting('statement_timeout')")
        assert told_here == told
        writing.close()


def rehearsed(run):
    action = Action(name="t.x", arguments={}, timeout_s=10, run=run, rehearse=run)
    return rehearse(action, Environment.load("lab"))


@pytest.mark.parametrize("end", ["commit", "rollback", "end", "commit and chain"])
def test_a_rehearsal_that_ends_its_transaction_is_no_rehearsal(lab, end):
    """What it committed stands, so the card says so at once."""

    def run(systems):
        with systems.database().transaction(rollback=True):
            systems.database().rows("create temp table of_a_rehearsal (x int)")
            systems.database().rows(end)
        return "nothing changed"

    found, broken = rehearsed(run)
    assert "NOT taken back" in broken
    assert found != "nothing changed"


def test_a_rehearsal_that_stays_inside_is_taken_back(lab):
    """Also with transactions within, and after an error in one of them."""

    def run(systems):
        database = systems.database()
        with database.transaction(rollback=True):
            before = database.value("select count(*) from personas")
            with suppress(psycopg.errors.DivisionByZero), database.transaction():
                database.rows("select 1/0")
            with database.transaction():
                database.rows("create temp table of_a_rehearsal (x int)")
            return before

    found, broken = rehearsed(run)
    assert (found > 0, broken) == (True, "")


class _Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.seen.append(dict(self.headers))
        if self.path.endswith("/away"):
            self.send_response(302)
            self.send_header("location", self.server.away)
        else:
            self.send_response(200)
        self.end_headers()

    do_POST = do_GET  # noqa: N815 - the names that the base class calls

    def log_message(self, *_):
        """Keep still."""


@pytest.fixture
def servers():
    """Two services: ours, and another one."""
    found = []
    for _ in range(2):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Answer)
        server.seen = []
        threading.Thread(target=server.serve_forever, daemon=True).start()
        found.append(server)
    ours, other = found
    ours.away = f"http://127.0.0.1:{other.server_port}/taken"
    yield ours, other
    for server in found:
        server.shutdown()
        server.server_close()


def client_of(server, *, read_only=True):
    return Http(
        f"http://127.0.0.1:{server.server_port}/base/",
        headers={"Authorization": "Bearer correct-horse"},
        read_only=read_only,
        timeout_s=5,
        asked=[],
    )


@pytest.mark.parametrize("read_only", [True, False])
def test_a_token_goes_to_its_own_service_alone(servers, read_only):
    """Not to an absolute address, not after a redirect, not over another scheme or port."""
    ours, other = servers
    client = client_of(ours, read_only=read_only)
    port = other.server_port

    own = ours.server_port
    others = (f"http://127.0.0.1:{port}/x", "https://127.0.0.1/x", f"https://127.0.0.1:{own}/x")
    for address in others:
        with pytest.raises(WriteRefusedError):
            client.get(address)
        with pytest.raises(WriteRefusedError), client.stream(address, params={}, timeout_s=5):
            pytest.fail("It was sent.")
    assert client.get("/away").status_code == 302
    assert client.get("x").status_code == 200
    assert client.get(f"http://127.0.0.1:{ours.server_port}/base/x").status_code == 200
    assert other.seen == []
    client.close()


def test_a_probe_reaches_no_writing_method_behind_the_client(servers):
    """However the request is sent."""
    ours, _ = servers
    client = client_of(ours)

    with pytest.raises(WriteRefusedError):
        client._client.post("/x")  # what a careless probe might do
    with pytest.raises(WriteRefusedError), client._client.stream("DELETE", "/x"):
        pytest.fail("It was sent.")
    assert ours.seen == []
    client.close()


def _writes(path, body):
    return "" if path.endswith("/read") and "set" not in body else "it changes a record"


def test_a_question_by_post_is_sent_once_it_is_judged_to_read(servers):
    """Path and body are judged before it; what may write is told that this one only reads."""
    ours, _ = servers
    client, told = client_of(ours), []
    writing = client_of(ours, read_only=False)
    writing._before = told.append

    assert client.ask("records/read", json={"id": 1}, writes=_writes).status_code == 200
    assert writing.ask("records/read", json={"id": 1}, writes=_writes).status_code == 200
    for path, body in (("records/read", {"set": 1}), ("records/change", {"id": 1})):
        with pytest.raises(WriteRefusedError, match=r"POST .*: it changes a record"):
            client.ask(path, json=body, writes=_writes)
    assert len(ours.seen) == 2
    assert told == [False]
    client.close()
    writing.close()


def test_what_reads_knows_nothing_that_opens_for_writing(lab):
    """Not by any of its attributes."""
    systems = Environment.load("lab").reading([])

    for name in ("writer", "owner"):
        with pytest.raises(SettingMissingError):
            systems.setting("database", name)
        with pytest.raises(SettingMissingError):
            systems._environment.secret("database", name)  # a private way is no way either
    assert systems._environment.dsn("database", "reader")


def test_what_a_policy_narrows_is_unknown_and_not_few(lab):
    """A role that sees only some rows would count too few of what is wrong."""
    owner = Environment.load("lab").dsn("database", "owner")
    with psycopg.connect(owner, autocommit=True) as setup:
        setup.execute("create role narrow login password 'narrow-for-a-test'")
        setup.execute("grant usage on schema public to narrow")
        setup.execute("grant select on missions to narrow")
    try:
        database = reading(make_conninfo(owner, user="narrow", password="narrow-for-a-test"))
        assert database.value("select count(*) from pg_roles where rolname = 'narrow'") == 1
        with pytest.raises(NoAnswerError, match=r"does not see all rows.*missions.*BYPASSRLS"):
            database.value("select count(*) from missions")
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="personas"):
            database.value("select count(*) from personas")
        database.close()
    finally:
        with psycopg.connect(owner, autocommit=True) as setup:
            setup.execute("drop owned by narrow")
            setup.execute("drop role narrow")


def test_another_connection_sees_the_same_moment(lab):
    """What is written between the two looks is seen by neither."""
    place = Environment.load("lab")
    dsn, owner = place.dsn("database", "reader"), place.dsn("database", "owner")
    first, second = reading(dsn), reading(dsn)
    counting = "select count(*) from personas"
    with psycopg.connect(owner, autocommit=True) as writer:
        with first.transaction(snapshot=True):
            moment, before = first.moment(), first.value(counting)
            writer.execute("insert into personas (name) values ('between two looks')")
            with second.transaction(moment=moment):
                seen = second.value(counting)
        after = second.value(counting)
        writer.execute("delete from personas where name = 'between two looks'")
    first.close()
    second.close()

    assert (seen, after) == (before, before + 1)
