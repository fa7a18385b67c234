"""Timelines that several machines write on: the same lines everywhere, and each once."""

import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runbook_nb.errors import (
    FencedError,
    IncidentStateError,
    RecordIntegrityError,
    StoreUnavailableError,
    TurnTakenError,
)
from runbook_nb.incident.turn import turn
from runbook_nb.probes.environment import Environment
from runbook_nb.probes.variables import kernel_variables
from runbook_nb.redaction import Redactor
from runbook_nb.service.orders import Orders
from runbook_nb.timeline.copying import to_folder, to_store
from runbook_nb.timeline.events import Acted, Acting, Alert, Closed, Noted, Opened, Outcome, Terms
from runbook_nb.timeline.incidents import declare, find, maybe_open
from runbook_nb.timeline.log import Timeline
from runbook_nb.timeline.store import chain as chains
from runbook_nb.timeline.store.chain import CLAIM, Claim, Lease, store_of
from runbook_nb.timeline.store.database import connected, grant
from runbook_nb.timeline.writer import WritableTimeline
from store_server import own_role

pytestmark = pytest.mark.slow

NOW = datetime(2026, 11, 28, 3, 0, tzinfo=UTC)
OPENED = Opened(
    at=NOW,
    by="ada",
    incident="INC-1",
    title="Jobs wait",
    severity="SEV2",
    runbook="queue_backlog",
    environment="staging",
    alert=None,
    terms=Terms(),
)


def noted(text, by="ada"):
    return Noted(at=NOW, text=text, by=by)


def quiet(_text):
    """Say nothing."""


def acting(title="Restart", attempt="r.1"):
    words = {"option": "Option A", "because": "", "risk": "", "undo": ""}
    return Acting(at=NOW, run="r", by="ada", title=title, call="x()", attempt=attempt, **words)


def acted(attempt="r.1"):
    values = {"title": "Restart", "call": "x()", "outcome": Outcome.DONE}
    return Acted(at=NOW, run="r", by="ada", attempt=attempt, **values)


def alone(path):
    """Return a timeline as the file has it."""
    timeline = Timeline(path)
    timeline.chain = None
    return timeline


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    said=st.lists(
        st.tuples(st.sampled_from("abc"), st.text(max_size=60), st.booleans()), max_size=12
    )
)
def test_both_stores_hold_the_same_bytes_and_the_same_head(timeline, tmp_path, said):
    """Whoever writes, and whoever reads between; the folder of each machine has them all."""
    number = len(list(tmp_path.glob("plain-*")))
    plain = WritableTimeline(
        tmp_path / f"plain-{number}" / "incidents" / "INC-1" / "timeline.jsonl", redactor=Redactor()
    )
    shared = {name: timeline(name, f"INC-{number + 10}") for name in "abc"}
    plain.append(OPENED)
    shared["a"].append(OPENED)
    for name, text, reads in said:
        plain.append(noted(text))
        written = shared[name].append(noted(text))
        assert written == plain[-1]
        if reads:
            shared["b"].refresh()
            assert shared["b"][-1] == written
    for each in shared.values():
        each.refresh()
        assert each.path.read_bytes() == plain.path.read_bytes()
        assert each.verify() == plain.verify()


def test_many_machines_write_at_once_and_every_line_is_there_once(timeline):
    """None waits for a lock of another, and none writes on an old head."""
    timeline("a").append(OPENED)

    def write(name):
        own = timeline(name)
        return [own.append(noted(f"{name} {number}", by=name)).text for number in range(20)]

    with ThreadPoolExecutor(4) as pool:
        told = [text for texts in pool.map(write, "abcd") for text in texts]
    seen = timeline("e")
    seen.refresh()
    assert sorted(event.text for event in seen.of(Noted)) == sorted(told)
    assert len(told) == 80
    assert seen.verify() == timeline("a").verify()


def test_what_one_machine_closed_takes_nothing_of_another(timeline):
    """But for what became of an attempt that was on its way."""
    one, other = timeline("a"), timeline("b")
    one.append(OPENED)
    with turn(other, say=quiet):
        other.append(acting())
    one.append(Closed(at=NOW, by="ada"))

    with pytest.raises(IncidentStateError, match="was closed"):
        other.append(noted("late"))
    assert other.append(acted()).outcome is Outcome.DONE
    one.refresh()
    assert isinstance(one[-1], Acted)


def test_a_line_whose_answer_was_lost_stands_once(timeline, monkeypatch):
    """The store had taken it before the connection broke."""
    own = timeline("a")
    own.append(OPENED)
    real, broken = psycopg.Connection.execute, []

    def breaks(connection, statement, *values):
        cursor = real(connection, statement, *values)
        if "runbook.append" in str(statement) and not broken:
            broken.append(statement)
            message = "server closed the connection unexpectedly"
            raise psycopg.OperationalError(message)
        return cursor

    monkeypatch.setattr(psycopg.Connection, "execute", breaks)
    assert own.append(noted("once")).text == "once"
    assert len(broken) == 1
    assert own.append(noted("again")).text == "again"
    seen = timeline("b")
    seen.refresh()
    assert [event.text for event in seen.of(Noted)] == ["once", "again"]


@contextmanager
def away(store, server):
    """Let nobody into the store, and end those who are there."""
    name = store.rpartition("/")[2].partition("?")[0]
    with psycopg.connect(server.dsn(), autocommit=True) as owner:
        owner.execute(f"alter database {name} allow_connections false".encode())
        owner.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", [name]
        )
        yield
        owner.execute(f"alter database {name} allow_connections true".encode())


def test_while_the_store_is_away_it_is_read_and_nothing_is_written(timeline, store, server):
    """And it goes on by itself when it is back."""
    own = timeline("a")
    own.append(OPENED)
    before = own.path.read_bytes()
    with away(store, server):
        with pytest.raises(StoreUnavailableError, match="cannot be reached"):
            own.append(noted("lost"))
        assert own.path.read_bytes() == before
        assert [type(event) for event in own] == [Opened]
        with pytest.raises(StoreUnavailableError), turn(own, say=quiet, patience_s=0):
            pass
    assert own.append(noted("kept")).text == "kept"
    assert len(own) == 2


def test_a_store_that_says_nothing_is_given_up(timeline, store, monkeypatch):
    """Its server is halted and would never answer; the next one asks on a new connection."""
    monkeypatch.setattr(chains, "_ANSWER_WITHIN_S", 1.0)
    own = timeline("a")
    own.append(OPENED)
    pid = own.chain.store.rows("select pg_backend_pid() as pid")[0]["pid"]
    os.kill(pid, signal.SIGSTOP)
    try:
        assert own.append(noted("told")).text == "told"
    finally:
        os.kill(pid, signal.SIGCONT)
    assert [event.text for event in own.of(Noted)] == ["told"]


def test_a_role_can_add_and_nothing_else(machine, timeline, store, monkeypatch):
    """What stands stays: no right to change, to delete, or to write beside the function."""
    timeline("a").append(OPENED)
    with own_role(store) as limited:
        grant(store, "app_role")
        with psycopg.connect(limited, autocommit=True) as app:
            for statement in (
                "update runbook.event set line = 'x'",
                "delete from runbook.event",
                "truncate runbook.event",
                "insert into runbook.event values ('INC-1', 2, 'x', 'noted', 'x')",
                "update runbook.incident set seq = 0",
                "delete from runbook.incident",
            ):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    app.execute(statement)
        monkeypatch.setenv("SHARED_STORE", limited)
        other = timeline("b")
        with turn(other, say=quiet):
            other.append(acting())
        assert declared(machine("b")) == "INC-2001"
        assert [type(event) for event in other] == [Opened, Acting]


def test_a_worker_that_was_replaced_says_only_what_became_of_its_action(
    timeline, store, monkeypatch
):
    """Its other lines are refused, on whichever machine it wakes."""
    own = timeline("a")
    own.append(OPENED)
    asked = {"incident": "INC-1", "runbook": "queue_backlog", "environment": "staging"}
    with connected(store) as connection:
        orders = Orders(connection)
        order, _ = orders.place(**asked, parameters={}, cause="test")
        first = orders.claim(order, worker="a", at_most=4)
        monkeypatch.setenv(CLAIM, str(Claim(order, first.fence, first.attempts)))
        own.append(noted("mine"))
        with turn(own, say=quiet):
            own.append(acting())
        connection.execute("update runbook.orders set beat_at = now() - interval '1 hour'")
        orders.sweep(stall_s=30, attempts=3)
        second = orders.claim(order, worker="b", at_most=4)
        with pytest.raises(FencedError):
            own.append(noted("late"))
        with turn(own, say=quiet), pytest.raises(FencedError):
            own.append(acting(attempt="r.9"))
        assert own.append(acted()).outcome is Outcome.DONE
        monkeypatch.setenv(CLAIM, str(Claim(order, second.fence, second.attempts)))
        assert timeline("b").append(noted("goes on")).text == "goes on"


def test_one_acts_at_a_time_on_all_machines(timeline):
    """The other is told who does, and reads what was done before it acts itself."""
    one, other = timeline("a"), timeline("b")
    one.append(OPENED)
    with turn(one, say=quiet):
        one.append(acting())
        said = []
        with (
            pytest.raises(TurnTakenError, match="ada acts in this incident now: 'Restart'"),
            turn(other, say=said.append, patience_s=1),
        ):
            pass
        assert "this waits for it" in said[0]
        one.append(acted())
    with turn(other, say=quiet, patience_s=5):
        assert isinstance(other[-1], Acted)
        assert other.append(acting(attempt="r.2")).attempt == "r.2"


def test_who_is_frozen_loses_the_turn_and_cannot_begin_when_he_wakes(timeline, monkeypatch):
    """He lost it before he had begun, so nothing of his was sent."""
    monkeypatch.setattr(chains, "LEASE_S", 1.0)
    monkeypatch.setattr(Lease, "_keep", lambda _lease: None)
    one, other = timeline("a"), timeline("b")
    one.append(OPENED)
    with turn(one, say=quiet):
        with turn(other, say=quiet, patience_s=10) as waited:
            assert waited
            other.append(acting(attempt="b.1"))
        with pytest.raises(TurnTakenError):
            one.append(acting(attempt="a.1"))
    assert [event.attempt for event in other.of(Acting)] == ["b.1"]


def test_nobody_begins_an_action_without_the_turn(timeline):
    """Whatever the code around it does."""
    own = timeline("a")
    own.append(OPENED)
    with pytest.raises(TurnTakenError):
        own.append(acting())


ALERT = Alert(name="QueueDepthHigh", fingerprint="f1", severity="SEV2", summary="Jobs wait.")


def declared(folder, alert=ALERT, incident=None):
    return declare(
        folder.path,
        incident=incident,
        title="Jobs wait",
        severity="SEV2",
        runbook="queue_backlog",
        environment="staging",
        by="ada",
        alert=alert,
        redactor=Redactor(),
    ).folder.name


def test_an_alert_that_comes_to_many_machines_at_once_opens_one_incident(machine):
    """Each of them is told which."""
    names = "abcdef"
    folders = [machine(name) for name in names]
    for round_ in range(5):
        alert = Alert(name="Q", fingerprint=f"f{round_}", severity="SEV2", summary="x")
        gate = threading.Barrier(len(names))

        def open_it(folder, alert=alert, gate=gate):
            gate.wait()
            return declared(folder, alert)

        with ThreadPoolExecutor(len(names)) as pool:
            assert len(set(pool.map(open_it, folders))) == 1
    store = store_of(folders[0].path)
    assert len(store.open_incidents()) == 5


def test_an_alert_after_the_close_opens_the_next_one(machine, timeline):
    """On another machine as well."""
    first = declared(machine("a"))
    assert declared(machine("b")) == first
    timeline("b", first).append(Closed(at=NOW, by="ada"))
    second = declared(machine("a"))
    assert second != first
    assert [each.name for each in maybe_open(machine("c").path)] == [second]


def test_an_incident_of_another_machine_is_found_and_listed(machine, timeline):
    """Though nothing of it is in this folder yet."""
    first = declared(machine("a"))
    assert [each.name for each in maybe_open(machine("b").path)] == [first]
    assert find(machine("c").path, first)[0].title == "Jobs wait"
    with pytest.raises(IncidentStateError, match="No incident"):
        find(machine("c").path, "INC-9999")


def test_a_folder_is_brought_into_the_store_and_out_of_it(machine, timeline, tmp_path, monkeypatch):
    """Line for line; what began in a folder is not written on before."""
    home = machine("a")
    settings = home.path.parent / "runbook.toml"
    told = settings.read_text()
    settings.write_text("")
    chains._store_of.cache_clear()
    opened = declared(home)
    plain = timeline("a", opened)
    plain.append(noted("before there was a store"))
    settings.write_text(told)
    chains._store_of.cache_clear()

    with pytest.raises(RecordIntegrityError, match="runbook store copy --to store"):
        timeline("a", opened).append(noted("too early"))
    store = store_of(home.path)
    copied = to_store(home.path, store)
    assert (copied.incidents, copied.new, copied.problems) == (1, 2, ())
    assert to_store(home.path, store).new == 0
    assert declared(machine("b")) == opened
    assert declared(machine("b"), incident=None, alert=None) != opened
    fetched = to_folder(machine("c").path, store)
    assert (fetched.incidents, fetched.problems) == (2, ())
    there = machine("c").incident(opened).timeline
    assert there.read_bytes() == timeline("b", opened).path.read_bytes()
    assert alone(there).verify() == timeline("b", opened).verify()


def test_two_folders_with_other_incidents_of_one_id_are_not_mixed(machine, timeline):
    """Nothing of the second is copied, and it says so."""
    timeline("a").append(OPENED)
    foreign = machine("b").incident("INC-1").timeline
    lone = WritableTimeline(foreign, redactor=Redactor())
    lone.chain = None
    lone.append(noted("of another team"))
    copied = to_store(machine("b").path, store_of(foreign.parent.parent))
    assert copied.new == 0
    assert "another timeline of that id" in copied.problems[0]
    with pytest.raises(RecordIntegrityError, match="another timeline"):
        timeline("b").append(noted("mixed"))
    assert len(timeline("c")) == 1


def test_a_clock_that_is_off_changes_no_turn(timeline):
    """The store's clock counts: this machine's may be five minutes wrong."""
    early = replace(acting(), at=NOW - timedelta(minutes=5))
    own = timeline("a")
    own.append(OPENED)
    with turn(own, say=quiet):
        assert own.append(early).at == early.at


def test_what_opens_the_store_is_masked_in_every_kernel(machine, store, monkeypatch):
    """A kernel gets it to write its lines, and may print it."""
    monkeypatch.chdir(machine("a").path.parent)
    word = urlsplit(store).password
    variables = kernel_variables(dict(os.environ), environment="lab")
    assert variables["SHARED_STORE"] == store
    assert word not in Environment.load("lab").redactor().text(f"the word is {word}, alone")
