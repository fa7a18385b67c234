"""What an action changes is told before it is committed, and rolled back where it cannot be."""

import httpx
import psycopg
import pytest

from runbook_nb.errors import ActionError
from runbook_nb.incident.dispatch import rehearse
from runbook_nb.packs.control_plane.lab.lab import Lab
from runbook_nb.probes.calls import Action
from runbook_nb.probes.environment import Environment, load_settings
from runbook_nb.probes.writing import NoJournal

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
        attempt, told, refuses = "run-1.2", [], False

        def sending(self, system, *, transaction="", last=False):
            if self.refuses:
                raise ActionError("It was cut off.")
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
