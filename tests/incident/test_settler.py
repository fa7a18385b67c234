"""What the systems say of an attempt that nobody saw end: by its transactions, or by its probe."""

from contextlib import ExitStack

import psycopg
import pytest

from runbook_nb import at_most
from runbook_nb.packs.control_plane.lab.lab import Lab
from runbook_nb.probes.calls import Action
from runbook_nb.probes.environment import load_settings
from runbook_nb.testing import Wall, scripted_probe
from runbook_nb.timeline import queries
from runbook_nb.timeline.events import Acted, Acting, Outcome, Sending, Settled, Settlement

DONE, NOT_DONE = Settlement.DONE, Settlement.NOT_DONE
WORDS = {"because": "Lag", "risk": "Calls are cut.", "undo": "Start the old one."}
MY_ID = "select pg_current_xact_id()::text"
# As no server has counted yet.
NEVER = "9000000000000000000"


def begin(night, *, title="Restart", call="tests.change()", attempt="run-0.2", **more):
    """Leave an attempt that nobody saw end."""
    told = {"title": title, "call": call, "attempt": attempt, "option": "Option A: Restart"}
    return night.timeline.append(
        Acting(at=night.clock.now(), run="run-0", **told, **WORDS, **more),
    )


@pytest.fixture
def transactions(lab):
    """Give the ids of a committed, a rolled back and an open transaction, and one of none."""
    with ExitStack() as held:
        committed, aborted, running = (
            held.enter_context(psycopg.connect(Lab(lab.folder).dsn())) for _ in range(3)
        )
        ids = [each.execute(MY_ID).fetchone()[0] for each in (committed, aborted, running)]
        committed.commit()
        aborted.rollback()
        told = dict(zip(("committed", "aborted", "running"), ids, strict=True))
        yield {**told, "never": NEVER, "untold": ""}, running


@pytest.fixture
def settled(night, transactions):
    """Settle an attempt that sent these transactions, the last one marked with a bang."""
    ids, _ = transactions

    def settled(told, *, screen=None, contained=False, history=""):
        systems = {"database": load_settings()["lab"]["database"]}
        incident = night.incident(systems=systems, screen=screen)
        begin(night, contained=contained)
        for each in told.split():
            word = each.removesuffix("!")
            sending = {"system": "database", "transaction": ids[word], "last": word != each}
            sending["history"] = history
            night.timeline.append(
                Sending(at=night.clock.now(), title="Restart", attempt="run-0.2", **sending)
            )
        incident._settler.settle()
        found = night.timeline.last(Settled)
        assert bool(queries.unsettled(night.timeline)) is (found is None)
        return found and found.outcome

    return settled


@pytest.mark.lab
@pytest.mark.parametrize(
    ("told", "outcome"),
    [
        ("committed!", DONE),
        ("committed committed!", DONE),
        ("untold committed!", DONE),
        ("aborted!", NOT_DONE),
        ("aborted aborted!", NOT_DONE),
        # A part of it is there, and more may have been meant.
        ("committed", None),
        ("committed aborted!", None),
        # What was sent elsewhere cannot be asked for.
        ("untold aborted!", None),
        ("untold", None),
        ("committed! untold", None),
        ("never!", None),
    ],
)
def test_the_database_tells_by_the_transactions_that_were_written_down(settled, told, outcome):
    """Done where the last one of all was committed, not done where every one was rolled back."""
    assert settled(told) is outcome


@pytest.mark.lab
@pytest.mark.parametrize(
    ("history", "told", "outcome"),
    [
        # The lab was never promoted, so its history is the first.
        ("00000001", "committed!", DONE),
        ("00000001", "aborted!", NOT_DONE),
        # As if it was sent to a server before this one was promoted.
        ("00000000", "committed!", None),
        ("00000000", "aborted!", NOT_DONE),
        # As if this one was left behind by another that was promoted.
        ("00000009", "committed!", None),
        ("00000009", "aborted!", None),
    ],
)
def test_the_id_of_a_transaction_counts_in_the_history_that_gave_it(
    settled, history, told, outcome
):
    """A promoted server may give it to another; one that was left behind never saw it."""
    assert settled(told, history=history) is outcome


@pytest.mark.lab
@pytest.mark.parametrize(("contained", "outcome"), [(True, NOT_DONE), (False, None)])
def test_what_had_sent_nothing_is_not_done_where_it_changes_nothing_else(
    settled, contained, outcome
):
    """Another one may have written a file, or started a program."""
    assert settled("", contained=contained) is outcome


@pytest.mark.lab
def test_a_transaction_that_is_still_running_is_waited_for(settled, transactions):
    """The server ends it a moment after its client was killed; the responder is told why."""
    _, running = transactions

    class Ending(Wall):
        def say(self, text):
            super().say(text)
            running.commit()

    screen = Ending()
    assert settled("running!", screen=screen) is DONE
    assert screen.said == ["A transaction of database is still running."]


@pytest.fixture
def probed(night):
    """Settle what was begun by the probe of an action, which keeps what it was asked for."""
    asked = []

    def probed(found, **call):
        def settle(_systems, attempt, **_):
            asked.append(attempt)
            return found

        action = Action(
            name="tests.change",
            arguments=call,
            timeout_s=5,
            run=lambda _systems: None,
            undo=lambda _systems, _result: None,
            settle=settle,
        )
        incident = night.incident()
        limits = {"expect": at_most(5), "if_failed": "Option A: Restart", "covered": True}
        incident.plan.keep_check("Lag", scripted_probe(9), **limits)
        incident.plan.keep_action("Restart", action, changed=False, covered=True, **WORDS)
        incident._settler.settle()
        return [each.outcome for each in night.timeline.of(Settled)]

    probed.asked = asked
    return probed


def done(night):
    """Do the action before, in an attempt that ended well."""
    begin(night, attempt="run-0.1")
    told = {"title": "Restart", "call": "tests.change()", "outcome": Outcome.DONE}
    night.timeline.append(Acted(at=night.clock.now(), run="run-0", attempt="run-0.1", **told))


@pytest.mark.parametrize(("found", "outcomes"), [(True, [DONE]), (False, [NOT_DONE]), (None, [])])
def test_the_probe_tells_whether_an_attempt_took_effect(night, probed, found, outcomes):
    """It is asked for the attempt by its id."""
    night.incident()
    begin(night)

    assert probed(found) == outcomes
    assert probed.asked == ["run-0.2"]


@pytest.mark.parametrize(("found", "outcomes"), [(True, [NOT_DONE]), (False, [DONE]), (None, [])])
def test_an_undo_is_done_where_the_effect_is_there_no_more(night, probed, found, outcomes):
    """The effect is that of the action, whose attempt left it."""
    night.incident()
    done(night)
    begin(night, title="Undo: Restart", call="undo of tests.change()")

    assert probed(found) == outcomes
    assert probed.asked == ["run-0.1"]
    assert (queries.done(night.timeline, "Restart") is None) is (found is False)


def test_the_probe_of_another_call_is_not_asked(night, probed):
    """What this call left says nothing of that one."""
    night.incident()
    begin(night, call="tests.change(machine='two')")

    assert probed(found=False) == []
    assert probed.asked == []


def test_what_was_begun_in_another_environment_is_settled_there(night, probed):
    """The systems here know nothing of it."""
    night.incident()
    night.starts("run-0", environment="staging")
    begin(night)

    assert probed(found=False) == []
    assert probed.asked == []
