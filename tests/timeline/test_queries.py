"""Questions to events are answered by their order, whatever the clocks said."""

from datetime import UTC, datetime, timedelta

import pytest

from runbook_nb.timeline import queries
from runbook_nb.timeline.events import (
    Acted,
    Acting,
    Asked,
    Checked,
    Closed,
    Decided,
    Evidence,
    Noted,
    Opened,
    Outcome,
    Settled,
    Settlement,
    Started,
    Undone,
    Verdict,
    Verified,
)

START = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
DESCRIBED = {"call": "agent.restart()", "option": "", "because": "Lag", "risk": "", "undo": ""}


class Clock:
    """A clock that goes back by a minute whenever it is read."""

    def __init__(self) -> None:
        self._now = START

    def __call__(self) -> datetime:
        self._now -= timedelta(minutes=1)
        return self._now


def told(*events):
    """Return events one after the other, each earlier by the clock than the one before."""
    clock = Clock()
    return [kind(at=clock(), **fields) for kind, fields in events]


def acting(title="Restart"):
    return Acting, {"title": title, **DESCRIBED}


def acted(title="Restart", outcome=Outcome.DONE):
    return Acted, {"title": title, "outcome": outcome, **DESCRIBED}


def undone(title="Restart", outcome=Outcome.DONE):
    return Undone, {"title": title, "outcome": outcome, "call": "undo of agent.restart()"}


def reading(title, verdict, *, run="one", kind=Checked, **more):
    evidence = Evidence(question="?", read_at=START)
    return kind, {"title": title, "verdict": verdict, "evidence": evidence, "run": run, **more}


def checked(title, verdict, **more):
    return reading(title, verdict, expect="at most 5 s", **more)


def verified(title, verdict, **more):
    waited = {"readings": 1, "wanted": 1, "took_s": 0.0, "waited": False}
    return reading(title, verdict, kind=Verified, **waited, **more)


def decided(option, *, run="one"):
    return Decided, {"option": option, "recommended": option, "run": run}


def started(run, runbook):
    return Started, {
        "run": run,
        "runbook": runbook,
        "runbook_digest": "d",
        "environment": "lab",
        "parameters": {},
        "attended": False,
    }


def test_an_undo_after_an_action_takes_it_back_though_its_clock_is_behind():
    """Otherwise the next run would leave alone what is no longer done."""
    assert queries.done(told(acted(), undone()), "Restart") is None


def test_an_action_that_was_done_again_after_its_undo_stands():
    """The newest of the two counts."""
    events = told(acted(), undone(), acted())

    assert queries.done(events, "Restart") == events[2]


def test_a_failed_undo_leaves_the_action_done():
    """It was not taken back."""
    events = told(acted(), undone(outcome=Outcome.FAILED))

    assert queries.done(events, "Restart") == events[0]


def test_what_was_done_later_is_what_comes_later_on_the_timeline():
    """Undo goes newest first, also where another machine's clock is behind."""
    events = told(acted("Restart"), acted("Scale out"))

    assert queries.done_after(events, events[0]) == "Scale out"
    assert queries.done_after(events, events[1]) is None


def test_the_same_action_done_again_is_not_in_the_way_of_its_undo():
    """It is taken back itself, the newest first."""
    events = told(acted("Restart"), acted("Restart"))

    assert queries.done_after(events, events[0]) is None


def test_what_was_taken_back_is_not_in_the_way_of_an_undo():
    """It no longer stands."""
    events = told(acted("Restart"), acted("Scale out"), undone("Scale out"))

    assert queries.done_after(events, events[0]) is None


def test_an_action_that_begins_after_an_outcome_is_begun_though_its_clock_is_behind():
    """A second attempt that was cut off may be half done."""
    events = told(acting(), acted(outcome=Outcome.FAILED), acting())

    assert queries.begun(events, "Restart") == events[2]


def test_an_attempt_with_an_outcome_is_not_begun():
    """It ended; so did that of another action not."""
    events = told(acting(), acted(), acting("Scale out"))

    assert queries.begun(events, "Restart") is None
    assert queries.begun(events, "Scale out") == events[2]


def test_the_same_call_done_again_ends_what_was_cut_off_where_twice_does_no_harm():
    """Other arguments are another effect, and say nothing of that one."""
    title, more = acting()
    first = title, {**more, "attempt": "1", "repeatable": True}
    same = title, {**more, "attempt": "2", "repeatable": True}
    other = title, {**same[1], "call": "agent.restart(machine='two')"}
    _, ended = acted()
    end = Acted, {**ended, "attempt": "2"}

    assert queries.unsettled(told(first, same, end)) == []
    assert [each.id for each in queries.unsettled(told(first, other, end))] == ["1"]


@pytest.mark.parametrize(
    ("event", "changed"),
    [
        (acting(), True),
        (acting("Undo: Restart"), True),
        ((Settled, {"title": "Restart", "attempt": "1", "outcome": Settlement.NOT_DONE}), True),
        ((Noted, {"text": "Restarted it by hand."}), True),
        ((Asked, {"question": "Call.", "owner": "Ops", "answer": "Called."}), True),
        ((Asked, {"question": "Call.", "owner": "Ops"}), False),
        (checked("Lag", Verdict.FAIL), False),
        (decided("Option A: Restart"), False),
        (acted(outcome=Outcome.DECLINED), False),
    ],
)
def test_what_may_have_changed_the_systems_is_known_by_its_kind(event, changed):
    """A reading of before it says nothing about now."""
    assert queries.may_have_changed(told(checked("Load", Verdict.PASS), event)) is changed


def test_the_newest_reading_is_the_last_one_written():
    """A check is judged by what was read last."""
    events = told(checked("Lag", Verdict.FAIL), checked("Lag", Verdict.PASS))

    assert queries.newest(events)["Lag"].verdict is Verdict.PASS
    assert queries.failed(events) == {"Lag"}


def test_a_run_is_judged_by_its_own_newest_readings_and_verifications():
    """What another run read does not make this one worse."""
    events = told(
        checked("Lag", Verdict.FAIL),
        checked("Load", Verdict.WARN),
        verified("Lag", Verdict.PASS),
        checked("Load", Verdict.FAIL, run="two"),
    )

    assert queries.verdict_of(events, "one") is Verdict.WARN
    assert queries.verdict_of(events, "three") is Verdict.UNKNOWN


def test_unknown_is_worse_than_a_warning_and_nothing_is_unknown():
    """What was not read is never pass."""
    assert queries.worst([Verdict.PASS, Verdict.UNKNOWN, Verdict.WARN]) is Verdict.UNKNOWN
    assert queries.worst([]) is Verdict.UNKNOWN


def test_the_decision_of_a_runbook_is_not_that_of_another_in_the_same_incident():
    """Two runbooks may run in one incident."""
    events = told(
        started("one", "trial"),
        decided("Option A: Restart"),
        started("two", "other"),
        decided("Option B: Scale out", run="two"),
    )

    assert queries.decided(events).option == "Option B: Scale out"
    assert queries.decided_in(events, "trial", run="three").option == "Option A: Restart"
    assert queries.decided_in(events, "none", run="three") is None
    assert queries.runbooks(events) == ("trial", "other")
    assert list(queries.runs(events, "other")) == ["two"]


def test_an_answer_stands_though_the_question_was_put_again():
    """A later run asks anew; what a person said before is not lost."""
    asked = {"question": "Tell the lead.", "owner": "Lead"}
    other = {"question": "Write it down.", "owner": "Scribe"}
    events = told((Asked, {**asked, "answer": "Told."}), (Asked, asked), (Asked, other))

    assert [step.answer for step in queries.manual_steps(events)] == ["Told.", None]
    assert [step.question for step in queries.open_questions(events)] == ["Write it down."]


def test_an_incident_begins_and_ends_once():
    """The first opening and the first close are the true ones."""
    opening = {
        "incident": "INC-1",
        "title": "Trial",
        "severity": "SEV3",
        "runbook": "trial",
        "environment": "lab",
    }
    events = told((Opened, opening), (Noted, {"text": "x"}), (Closed, {"resolution": "fixed"}))

    assert queries.opened(events) == events[0]
    assert queries.closed(events) == events[2]
    assert queries.closed(events[:2]) is None
    assert queries.runbooks(events) == ("trial",)


def test_before_and_after_an_event_is_by_its_place():
    """Not by its time."""
    events = told((Noted, {"text": "a"}), (Noted, {"text": "b"}), (Noted, {"text": "c"}))

    assert queries.before(events, events[1]) == events[:1]
    assert queries.after(events, events[1]) == events[2:]
