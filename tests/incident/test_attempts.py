"""An attempt ends by its result or is settled; what is done is done once, before the close."""

import os
import signal
import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from threading import Event, Thread
from types import SimpleNamespace

import pytest

from runbook_nb import above, action, at_most, minutes
from runbook_nb.errors import (
    ActionError,
    IncidentStateError,
    NothingDoneError,
    ParameterError,
    StepNotFoundError,
    TurnTakenError,
)
from runbook_nb.incident.settle import settle_by_hand
from runbook_nb.incident.turn import turn
from runbook_nb.probes.calls import Action
from runbook_nb.record.close import close
from runbook_nb.testing import Wall, scripted_probe
from runbook_nb.timeline import queries
from runbook_nb.timeline.events import (
    Acted,
    Acting,
    Checked,
    Closed,
    Decided,
    Noted,
    Outcome,
    Settled,
    Settlement,
    Undone,
    Verdict,
    Verified,
)
from runbook_nb.timeline.log import Timeline

A, B = "Option A: Restart", "Option B: Scale out"
UNDO_RESTART = "Undo: Restart"
WORDS = {"risk": "Calls are cut.", "undo": "Start the old one."}
PEOPLE = [f"person-{number}@company.com" for number in range(300)]


class Machine:
    """A system with one effect to count, and an action on it that is not repeatable."""

    def __init__(self, **more) -> None:
        self.effects, self.undone = 0, []
        self.run = lambda _systems: None
        self._more = more

    def __call__(self, **arguments) -> Action:
        fields = {"timeout_s": 20, "undo": self._undo, "run": self._do, **self._more}
        return Action(name="tests.change", arguments=arguments, **fields)

    def _do(self, systems, **_):
        self.effects += 1
        self.run(systems)
        return {"changed": PEOPLE}

    def _undo(self, _systems, result, **_):
        self.undone.append(result)
        return {}


def check(incident, *answers, title="Lag", if_failed=A):
    probe = scripted_probe(*answers, unit="s")
    limits = {"expect": at_most(5, "s"), "fail": above(8, "s")}
    return incident.check(title, probe, if_failed=if_failed, **limits)


def diagnosed(night, *answers, option=A, **context):
    """Return a run that read its check as failed and chose an option, with a yes to it."""
    incident = night.incident(**context)
    check(incident, 9, *answers)
    night.approve(option)
    incident.decide(option, "Asked for.")
    return incident


def act(incident, action, title="Restart"):
    return incident.act(title, action, because="Lag", **WORDS)


def begun(night, *, title="Restart", attempt="run-0.7", **more):
    """Leave an attempt that nobody saw end."""
    words = dict.fromkeys(("because", "risk", "undo"), "")
    call = {"title": title, "call": "tests.change()", "option": A, **more}
    event = Acting(at=night.clock.now(), run="run-0", attempt=attempt, **words, **call)
    return night.timeline.append(event)


def outcomes(night):
    return [acted.outcome for acted in night.timeline.of(Acted)]


@pytest.mark.parametrize("ended", [Outcome.DECLINED, Outcome.NOT_NEEDED, Outcome.REHEARSED])
def test_no_refusal_ends_what_was_begun(night, ended):
    """However often it is left, it may still be half done."""
    night.incident()
    begun(night)
    words = {"title": "Restart", "call": "tests.change()", "run": "run-0"}
    night.timeline.append(Acted(at=night.clock.now(), outcome=ended, **words))
    machine = Machine()
    for run in ("run-1", "run-2", "run-3"):
        act(diagnosed(night, run=run), machine())

    assert machine.effects == 0
    assert queries.begun(night.timeline, "Restart").attempt == "run-0.7"
    assert outcomes(night)[-1] is Outcome.DECLINED


def test_an_action_that_took_effect_and_then_failed_is_not_sent_again(night):
    """No answer in time says nothing of the effect."""
    machine = Machine()

    def no_answer(_systems):
        raise TimeoutError

    machine.run = no_answer
    with pytest.raises(ActionError):
        act(diagnosed(night), machine())
    act(diagnosed(night, run="run-2"), machine())

    assert machine.effects == 1
    assert outcomes(night) == [Outcome.FAILED, Outcome.DECLINED]


def test_what_failed_before_it_changed_anything_is_tried_again(night):
    """The action says so itself."""
    machine = Machine()

    def refuses(_systems):
        raise NothingDoneError

    machine.run = refuses
    with pytest.raises(ActionError):
        act(diagnosed(night), machine())
    machine.run = lambda _systems: None
    act(diagnosed(night, run="run-2"), machine())

    assert outcomes(night) == [Outcome.FAILED, Outcome.DONE]


def test_a_contained_action_that_sent_nothing_is_done_by_the_next_run(night):
    """What it would have sent would stand on the timeline."""
    night.incident()
    begun(night, contained=True)
    machine = Machine(contained=True)
    act(diagnosed(night), machine())

    assert night.timeline.last(Settled).outcome is Settlement.NOT_DONE
    assert (machine.effects, outcomes(night)) == (1, [Outcome.DONE])


@pytest.mark.parametrize(
    ("found", "effects", "ended"),
    [(True, 0, Outcome.NOT_NEEDED), (False, 1, Outcome.DONE), (None, 0, Outcome.DECLINED)],
)
def test_the_settling_probe_says_whether_it_happened(night, found, effects, ended):
    """It is asked for the attempt; what it cannot see stays begun."""
    asked = []

    def settle(_systems, attempt):
        asked.append(attempt)
        return found

    night.incident()
    begun(night)
    machine = Machine(settle=settle)
    act(diagnosed(night), machine())

    assert asked[0] == "run-0.7"
    assert (machine.effects, outcomes(night)) == (effects, [ended])
    assert bool(queries.unsettled(night.timeline)) is (found is None)


def test_what_was_begun_is_settled_before_it_is_decided_though_its_cell_has_not_run(night):
    """Its action is made from the text of the cell, and asked."""
    effects = []

    @action()
    def change(_systems):
        effects.append("changed")

    change.settling(lambda _systems, _attempt: True)
    incident = night.incident(names={"a": SimpleNamespace(change=change)})
    begun(night, call="test_attempts.change()")
    check(incident, 1)
    check(incident, 1, title="Load")
    incident.decide()

    assert night.timeline.last(Settled).outcome is Settlement.DONE
    assert night.timeline.last(Decided).verdict is Verdict.PASS
    assert effects == []


@pytest.mark.parametrize("answer", ["yes", 1, 0, []])
def test_only_a_plain_yes_or_no_settles(night, answer):
    """Anything else is no answer."""
    night.incident()
    begun(night)
    machine = Machine(settle=lambda _systems, _attempt: answer)
    act(diagnosed(night), machine())

    assert machine.effects == 0
    assert night.timeline.last(Settled) is None


@pytest.mark.parametrize(
    ("outcome", "effects", "ended"),
    [(Settlement.DONE, 0, Outcome.NOT_NEEDED), (Settlement.NOT_DONE, 1, Outcome.DONE)],
)
def test_a_person_settles_what_nobody_saw_end(night, outcome, effects, ended):
    """By a command, with a reason."""
    night.incident()
    begun(night)
    said = {"because": "Its uptime is 3 days.", "by": "kim"}
    incidents = night.folder / "incidents"
    settled = settle_by_hand(incidents, "INC-1", "Restart", outcome=outcome, **said)
    machine = Machine()
    act(diagnosed(night), machine())

    assert (settled.attempt, settled.by, settled.because) == ("run-0.7", "kim", said["because"])
    assert (machine.effects, outcomes(night)) == (effects, [ended])


def test_to_settle_needs_a_reason_and_the_title_of_something_begun(night):
    """A wrong title is told with what is unsettled."""
    night.incident()
    begun(night)
    words = {"outcome": Settlement.DONE, "by": "kim"}
    incidents = night.folder / "incidents"

    with pytest.raises(ParameterError):
        settle_by_hand(incidents, "INC-1", "Restart", because=" ", **words)
    with pytest.raises(StepNotFoundError, match="'Restart'"):
        settle_by_hand(incidents, "INC-1", "Start", because="I looked.", **words)
    assert night.timeline.last(Settled) is None


def test_where_something_may_be_half_done_nobody_says_that_all_is_well(night):
    """A passing check may be its effect, and is no proof."""
    incident = night.incident()
    begun(night)
    check(incident, 1)
    check(incident, 1, title="Load")
    incident.decide()

    decided = night.timeline.last(Decided)
    assert (decided.option, decided.verdict) == (None, Verdict.UNKNOWN)
    assert "'Restart'" in decided.reason


def test_a_repeatable_action_that_is_done_again_ends_what_was_cut_off(night):
    """To send it twice does no harm."""
    night.incident()
    begun(night, repeatable=True)
    machine = Machine(repeatable=True)
    act(diagnosed(night), machine())

    assert machine.effects == 1
    assert queries.unsettled(night.timeline) == []


def test_other_arguments_are_another_action(night):
    """What was done is a call, and not only a title."""
    machine = Machine()
    act(diagnosed(night), machine(machine="one"))
    act(diagnosed(night, run="run-2"), machine(machine="two"))
    act(diagnosed(night, run="run-3"), machine(machine="two"))

    assert machine.effects == 2


def test_a_call_that_is_masked_on_the_timeline_is_taken_for_the_same(night):
    """Two marks cannot be told apart, and to do it twice is worse."""
    machine = Machine()
    for run in ("run-1", "run-2"):
        act(diagnosed(night, run=run), machine(user="sam@company.com"))

    assert machine.effects == 1


def test_what_was_done_in_another_environment_is_not_done_here(night):
    """Nor does a reading there say anything of here."""
    machine = Machine()
    act(diagnosed(night), machine())
    night.starts("run-1", environment="elsewhere")
    incident = night.incident(run="run-2")
    incident.decide(A, "To see whether it is chosen by anything read elsewhere.")

    assert night.timeline.last(Decided).recommended is None
    act(diagnosed(night, run="run-3"), machine())
    assert machine.effects == 2


def test_a_warning_does_not_call_for_an_action_and_is_not_called_a_pass(night):
    """The reason says the verdict."""
    machine = Machine()
    act(diagnosed(night, 6), machine())

    acted = night.timeline.last(Acted)
    assert (acted.outcome, machine.effects) == (Outcome.NOT_NEEDED, 0)
    assert "warn" in acted.reason
    assert "passes" not in acted.reason


def test_the_attempt_is_on_disk_before_anything_is_sent(night):
    """Whoever comes after a crash finds it."""
    machine, seen = Machine(), []
    incident = diagnosed(night)
    path = night.timeline.path
    machine.run = lambda systems: seen.append((systems.attempt, Timeline(path)[-1]))
    act(incident, machine())

    ((attempt, last),) = seen
    assert isinstance(last, Acting)
    assert last.attempt == attempt == night.timeline.last(Acted).attempt != ""


def test_what_cannot_be_rehearsed_is_not_sent_unattended(night):
    """Nobody is there to judge it."""

    def broken(_systems):
        raise OSError

    machine = Machine(rehearse=broken)
    act(diagnosed(night), machine())

    assert (machine.effects, outcomes(night)) == (0, [Outcome.DECLINED])


def test_connections_are_closed_after_the_outcome_is_written(night, tmp_path):
    """First it is told; what is closed later cannot keep it from being told."""
    (tmp_path / "queue.db").touch()
    machine, files = Machine(), []

    def open_files() -> int:
        links = [*Path("/proc/self/fd").iterdir()]
        return sum(os.path.realpath(link) == str(tmp_path / "queue.db") for link in links)

    def count(here) -> None:
        files.append((here, open_files()))

    systems = {"queue": {"writer": f"sqlite:///{tmp_path}/queue.db"}}
    incident = diagnosed(night, reached=count, systems=systems)
    machine.run = lambda systems: systems.database("queue").rows("select 1")
    act(incident, machine())

    assert files[-1] == ("ended", 1)
    assert open_files() == 0


class Bell(Wall):
    """A screen that rings when somebody is told to wait."""

    def __init__(self) -> None:
        super().__init__()
        self.rang = Event()

    def say(self, text: str) -> None:
        super().say(text)
        self.rang.set()


def test_two_runs_take_turns(night):
    """The second one waits, is told who acts, and then finds it done."""
    machine, bell = Machine(), Bell()
    machine.run = lambda _systems: (second.start(), bell.rang.wait(30))
    first = diagnosed(night)
    other = diagnosed(night, run="run-2", screen=bell)
    second = Thread(target=lambda: act(other, machine()))
    act(first, machine())
    second.join(30)

    assert machine.effects == 1
    assert sorted(outcomes(night)) == [Outcome.DONE, Outcome.NOT_NEEDED]
    assert "sam" in bell.said[0]


def test_who_waits_too_long_is_told_and_does_nothing(night):
    """The wait is bounded."""
    night.incident()
    with (
        turn(night.timeline, say=lambda _text: None),
        pytest.raises(TurnTakenError),
        turn(night.timeline, say=lambda _text: None, patience_s=0.1),
    ):
        pass


def test_nothing_is_done_when_it_was_closed_while_a_person_thought(night):
    """All is looked at again once the word is typed."""
    machine = Machine()

    def closes(_question: str) -> str:
        close(night.folder / "incidents", "INC-1", by="kim", patience_s=0)
        return "do"

    incident = diagnosed(night, attended=True, ask=closes)
    with pytest.raises(IncidentStateError):
        act(incident, machine())

    assert machine.effects == 0
    assert night.timeline[-1].kind == "closed"


def test_nothing_is_done_when_another_option_was_chosen_while_a_person_thought(night):
    """The decision counts that stands when it is sent."""
    machine = Machine()

    def chooses(_question: str) -> str:
        other = night.incident(run="run-2")
        night.starts("run-2")
        other.decide(B, "The restart is frozen.")
        return "do"

    act(diagnosed(night, attended=True, ask=chooses), machine())

    assert (machine.effects, outcomes(night)) == (0, [Outcome.DECLINED])


def test_the_close_waits_for_what_is_on_its_way(night):
    """Its outcome comes before the close."""
    machine, bell = Machine(), Bell()
    words = (night.folder / "incidents", "INC-1")
    closing = Thread(target=lambda: close(*words, by="kim", say=bell.say))
    machine.run = lambda _systems: (closing.start(), bell.rang.wait(30))
    act(diagnosed(night), machine())
    closing.join(30)

    kinds = [event.kind for event in night.timeline]
    assert kinds.index("acted") < kinds.index("closed")


def test_of_three_closes_at_once_one_succeeds(night):
    """There is one head."""
    night.incident()

    def try_to_close(name: str) -> bool:
        try:
            close(night.folder / "incidents", "INC-1", by=name)
        except IncidentStateError:
            return False
        return True

    with ThreadPoolExecutor(3) as pool:
        done = list(pool.map(try_to_close, ("kim", "alex", "sam")))

    assert sum(done) == 1
    assert len(night.timeline.of(Closed)) == 1


def test_a_close_names_what_may_be_half_done(night):
    """Whoever closes must know."""
    night.incident()
    begun(night)
    done = close(night.folder / "incidents", "INC-1", by="kim")

    assert [attempt.acting.title for attempt in done.begun] == ["Restart"]


def test_a_time_without_a_zone_is_refused(night):
    """A timeline is read in other places, and for years."""
    night.incident()
    with pytest.raises(ParameterError):
        night.timeline.append(Noted(at=datetime(2026, 11, 23, 3), text="When?"))  # noqa: DTZ001

    assert night.timeline.last(Noted) is None


@pytest.mark.slow
def test_an_interrupted_action_is_told_and_keeps_its_turn_until_it_has_ended(night):
    """Ctrl-C leaves nothing going on behind anybody's back; it is waited for 5 s first."""
    machine, ends = Machine(), Event()

    def interrupted(_systems):
        os.kill(os.getpid(), signal.SIGINT)
        ends.wait(30)

    machine.run = interrupted
    with pytest.raises(KeyboardInterrupt):
        act(diagnosed(night), machine())
    try:
        acted = night.timeline.last(Acted)
        assert acted.outcome is Outcome.FAILED
        assert queries.begun(night.timeline, "Restart").attempt == acted.attempt
        with (
            pytest.raises(TurnTakenError),
            turn(night.timeline, say=lambda _text: None, patience_s=0),
        ):
            pass
    finally:
        ends.set()
    with turn(night.timeline, say=lambda _text: None, patience_s=10):
        pass


def done(night, machine, **context):
    incident = diagnosed(night, **context)
    act(incident, machine())
    return incident


def test_an_undo_without_a_yes_is_not_run(night):
    """Nobody approved it, though the action was approved."""
    machine = Machine()
    incident = done(night, machine)
    incident.undo("Restart")

    undone = night.timeline.last(Undone)
    assert (undone.outcome, machine.undone) == (Outcome.REHEARSED, [])
    assert queries.done(night.timeline, "Restart")


@pytest.mark.parametrize(
    ("kind", "answer", "undone"),
    [("lab", "do", 1), ("lab", "yes", 0), ("production", "do", 0), ("production", "INC-1", 1)],
)
def test_an_undo_asks_for_the_same_word_as_an_action(night, kind, answer, undone):
    """In production it is the incident id."""
    machine = Machine()
    word = "INC-1" if kind == "production" else "do"
    incident = done(night, machine, attended=True, kind=kind, answers=(word, answer, ""))
    incident.undo("Restart")

    assert len(machine.undone) == undone
    assert (queries.done(night.timeline, "Restart") is None) is bool(undone)


def test_an_undo_is_fed_with_all_of_it_and_nobody_else_reads_that(night):
    """The timeline holds it masked and cut."""
    machine = Machine()
    incident = done(night, machine)
    results = night.timeline.folder.results
    modes = {stat.S_IMODE(path.stat().st_mode) for path in (results, *results.iterdir())}
    night.approve(UNDO_RESTART)
    incident.undo("Restart")

    assert machine.undone == [{"changed": PEOPLE}]
    assert modes == {0o700, 0o600}
    assert "person-1@company.com" not in night.timeline.path.read_text(encoding="utf-8")


def test_the_close_removes_what_an_undo_would_need(night):
    """It is no part of the record."""
    done(night, Machine())
    close(night.folder / "incidents", "INC-1", by="sam")

    assert not night.timeline.folder.results.exists()


def test_an_undo_that_lost_its_input_does_nothing(night):
    """It would guess."""
    machine = Machine()
    incident = done(night, machine)
    for path in night.timeline.folder.results.iterdir():
        path.unlink()
    night.approve(UNDO_RESTART)

    with pytest.raises(ActionError):
        incident.undo("Restart")
    assert machine.undone == []


def test_an_undo_that_was_cut_off_is_not_repeated(night):
    """It may be half done, as an action may."""
    machine = Machine()
    incident = done(night, machine)
    begun(night, title=UNDO_RESTART, attempt="run-0.9", call="undo of tests.change()")
    night.approve(UNDO_RESTART)

    with pytest.raises(ActionError):
        incident.undo("Restart")
    act(diagnosed(night, run="run-2"), machine())
    assert (machine.undone, machine.effects) == ([], 1)
    assert outcomes(night)[-1] is Outcome.DECLINED


def test_an_undo_of_another_call_than_the_done_one_is_refused(night):
    """Its arguments would be those of the cell as it is now."""
    machine = Machine()
    incident = diagnosed(night)
    act(incident, machine(machine="one"))
    incident.plan.keep_action(
        "Restart", machine(machine="two"), because="Lag", **WORDS, changed=True, covered=True
    )
    night.approve(UNDO_RESTART)

    with pytest.raises(ActionError):
        incident.undo("Restart")
    assert machine.undone == []


def test_undo_goes_newest_first(night):
    """What was done later may stand on what was done before."""
    machine = Machine()
    incident = done(night, machine)
    night.approve(B)
    incident.decide(B, "Both are needed.")
    act(incident, machine(), title="Scale out")
    night.approve(UNDO_RESTART)

    with pytest.raises(ActionError, match="Scale out"):
        incident.undo("Restart")
    assert machine.undone == []


def test_after_an_undo_verify_reads_once_and_does_not_wait(night):
    """Nothing that was done stands."""
    incident = done(night, Machine())
    night.approve(UNDO_RESTART)
    incident.undo("Restart")
    incident.verify("Lag", within=minutes(10), readings=3)

    assert night.clock.slept == []
    assert night.timeline.last(Verified).waited is False


def test_verify_waits_by_what_passes_and_not_by_the_clock_on_the_wall(night):
    """A clock that is set forward by an hour ends nothing, and one set back prolongs nothing."""
    incident = done(night, Machine())
    for step in (3600, -7200, 60):
        night.clock.sleep(step)
        night.clock.slept.clear()
        incident.verify("Lag", within=minutes(1), readings=2)
        assert sum(night.clock.slept) == pytest.approx(60, abs=1)


def test_a_check_that_fails_after_its_verification_is_the_verdict_of_the_run(night):
    """The newest reading counts, of either kind."""
    incident = done(night, Machine(), run="run-1")
    check(incident, 1)
    incident.verify("Lag", within=minutes(1))
    check(incident, 9)

    assert night.timeline.last(Checked).verdict is Verdict.FAIL
    assert queries.verdict_of(night.timeline, "run-1") is Verdict.FAIL
