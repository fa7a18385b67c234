"""The verbs, on scripted answers."""

import re
from datetime import timedelta

import pytest

from runbook_nb import (
    Impact,
    ImpactFigure,
    Reading,
    Verdict,
    above,
    at_most,
    below,
    equals,
    hours,
    minutes,
    seconds,
)
from runbook_nb.errors import (
    ActionError,
    IncidentStateError,
    NoAnswerError,
    ParameterError,
    RunbookFormatError,
    StepNotFoundError,
)
from runbook_nb.incident import RunStopped
from runbook_nb.incident.readings import STANDS_S
from runbook_nb.testing import RecordingAction, scripted_probe
from runbook_nb.timeline import queries
from runbook_nb.timeline.events import (
    Acted,
    Acting,
    Asked,
    Changed,
    Checked,
    Closed,
    Decided,
    Outcome,
    Settled,
    Settlement,
    Undone,
    Verified,
)

A, B = "Option A: Restart", "Option B: Scale out"
UNDO_RESTART = "Undo: Restart"
LATE = 9.4
WORDS = {"risk": "Calls are cut.", "undo": "None needed."}


def check(incident, *answers, title="Lag", unit="s", if_failed=A, **limits):
    limits = limits or {"expect": at_most(5, "s"), "fail": above(8, "s")}
    probe = scripted_probe(*answers, unit=unit)
    return incident.check(title, probe, if_failed=if_failed, **limits)


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [(5, "pass"), (5.1, "warn"), (8, "warn"), (8.1, "fail"), (True, "unknown"), ("x", "unknown")],
)
def test_a_check_judges_by_expect_and_fail(night, answer, verdict):
    """Between expect and fail is warn; what is no number has no verdict."""
    check(night.incident(), answer)

    assert night.timeline.last(Checked).verdict == verdict


def test_without_fail_what_is_not_expected_fails(night):
    """One limit makes two verdicts."""
    check(night.incident(), 6, expect=below(5, "s"))

    assert night.timeline.last(Checked).verdict is Verdict.FAIL


@pytest.mark.parametrize(
    "error", [OSError("refused"), NoAnswerError("Only 3 beats."), ValueError()]
)
def test_a_probe_that_raises_is_unknown(night, error):
    """No reading, no opinion."""
    check(night.incident(), error)

    checked = night.timeline.last(Checked)
    assert checked.verdict is Verdict.UNKNOWN
    assert str(error) in checked.evidence.reason
    assert checked.evidence.reason


def test_a_probe_that_gives_nothing_is_unknown(night):
    """An answer of nothing is no pass."""
    check(night.incident(), None, expect=equals(0), unit="")

    assert night.timeline.last(Checked).verdict is Verdict.UNKNOWN


def test_the_impact_that_a_probe_measured_stands_on_the_timeline(night):
    """A record tells it without the pack that measured it."""
    impact = Impact(figures=(ImpactFigure(name="Carts stuck", value="3 of 20", weight=3),))
    check(night.incident(), Reading(value=6, impact=impact))

    evidence = night.timeline.last(Checked).evidence
    assert (evidence.answer, evidence.impact) == (6, impact)


def test_a_limit_in_another_unit_is_unknown(night):
    """Seconds are not compared with percent."""
    check(night.incident(), 3, unit="%")

    assert night.timeline.last(Checked).verdict is Verdict.UNKNOWN


def test_milliseconds_are_judged_by_a_limit_in_seconds(night):
    """Only the size of the unit differs."""
    check(night.incident(), 9400, unit="ms")

    assert night.timeline.last(Checked).verdict is Verdict.FAIL


def test_check_refuses_an_action_and_act_a_probe(night):
    """What reads and what changes are not mixed up."""
    incident = night.incident()

    with pytest.raises(TypeError, match="reads a probe"):
        incident.check("Lag", RecordingAction()(), expect=equals(0), if_failed=A)
    with pytest.raises(TypeError, match="does an action"):
        incident.act("Restart", scripted_probe(1), because="Lag", **WORDS)


def test_fresh_is_a_duration(night):
    """A number alone does not say of what."""
    with pytest.raises(TypeError, match="no duration"):
        check(night.incident(), 1, expect=at_most(5, "s"), fresh=60)


def test_an_action_before_the_decision_says_which_cell_to_run(night):
    """Out of order is told, not guessed."""
    incident = night.incident()
    check(incident, LATE)
    incident.act("Restart", RecordingAction()(), because="Lag", **WORDS)

    reason = night.timeline.last(Acted).reason
    assert reason == "No option was chosen yet: run the cell under 'Resolution Steps' first."


def test_if_failed_must_name_a_heading(night):
    """A next step that does not exist is an error of the author, told with the near one."""
    with pytest.raises(RunbookFormatError, match="Option A: Restart"):
        check(night.incident(), 1, if_failed="Option A: Restrat")


def test_decide_takes_the_option_of_the_most_failed_checks(night):
    """The verdicts speak."""
    incident = night.incident()
    check(incident, 1)
    check(incident, LATE, title="Load", if_failed=B)
    incident.decide()

    decided = night.timeline.last(Decided)
    assert (decided.option, decided.recommended) == (B, B)
    assert [option.heading for option in decided.ranked] == [B, A]


def test_decide_finds_nothing_to_fix_when_all_pass(night):
    """Then it names the related runbooks."""
    incident = night.incident()
    check(incident, 1)
    check(incident, 1, title="Load")
    incident.decide()

    decided = night.timeline.last(Decided)
    assert decided.option is None
    assert decided.verdict is Verdict.PASS
    assert decided.try_next == ("another",)


def test_a_check_that_has_not_run_is_no_pass(night):
    """One green check of two does not mean that there is nothing to fix."""
    incident = night.incident()
    check(incident, 1)
    incident.decide()

    decided = night.timeline.last(Decided)
    assert decided.verdict is Verdict.UNKNOWN
    assert decided.reason == "These have not run: Load."


def test_a_second_run_decides_by_what_the_first_one_read(night):
    """A machine diagnoses, a responder continues: nothing is read twice for nothing."""
    first = night.incident()
    night.starts("run-1")
    check(first, LATE)
    check(first, 1, title="Load")
    second = night.incident(attended=True, run="run-2", answers=("",))
    second.decide()

    assert night.timeline.last(Decided).option == A


def test_a_decision_names_the_readings_that_are_stale(night):
    """An old verdict is told as one; a check that changes slowly may stand for longer."""
    incident = night.incident()
    check(incident, LATE)
    check(incident, 1, title="Load", expect=at_most(5, "s"), fresh=hours(2))
    night.clock.sleep(minutes(16).total_seconds())
    card = incident.decide()

    assert night.timeline.last(Decided).stale == ("Lag",)
    assert "Stale: Lag: run these checks again first" in repr(card)


def test_decide_says_when_checks_could_not_be_read(night):
    """Unknown is no reason to act, and no reason to rest."""
    incident = night.incident()
    check(incident, OSError("refused"))
    incident.decide()

    decided = night.timeline.last(Decided)
    assert decided.option is None
    assert decided.verdict is Verdict.UNKNOWN
    assert "Lag" in decided.reason


def test_another_option_needs_a_reason(night):
    """Who overrides says why."""
    incident = night.incident()
    check(incident, LATE)

    with pytest.raises(ParameterError, match="say why"):
        incident.decide(option="B")
    incident.decide(option="B", reason="The restart is frozen.")
    assert night.timeline.last(Decided).option == B


def test_a_responder_takes_the_recommended_option_by_enter(night):
    """The question says what it rests on, and which letters there are."""
    incident = night.incident(attended=True, answers=("",))
    check(incident, LATE)
    incident.decide()

    question = f"Failed: Lag. Press Enter for {A!r} or B for another option: "
    assert night.responder.asked == [question]
    assert night.timeline.last(Decided).option == A


def test_a_responder_chooses_another_option_by_its_letter_and_says_why(night):
    """A wrong letter and a missing reason are asked for again; nothing is guessed."""
    answers = ("Z", "b", "", "b", "The restart is frozen.")
    incident = night.incident(attended=True, answers=answers)
    check(incident, LATE)
    incident.decide()

    decided = night.timeline.last(Decided)
    assert (decided.option, decided.recommended) == (B, A)
    assert decided.reason == "The restart is frozen."
    assert [line for line in night.screen.said if "No option 'Z'" in line]
    assert [line for line in night.screen.said if "reason" in line]


def test_who_chooses_anew_is_told_what_was_chosen_before(night):
    """A second responder who runs all cells does not take back a colleague's choice unawares."""
    sam = night.incident(attended=True, answers=("B", "The restart is frozen."))
    night.starts("run-1")
    check(sam, LATE)
    sam.decide()
    night.starts("run-2", by="kim")
    kim = night.incident(attended=True, actor="kim", run="run-2", answers=("",))
    kim.decide()

    (question,) = night.responder.asked
    assert re.match(rf"{B!r} was chosen at \d\d:\d\d:\d\dZ by sam. Failed: Lag.", question)


def test_a_responder_may_choose_where_the_checks_could_not_be_read(night):
    """Who knows more than the checks is not held back; the action still reads them again."""
    incident = night.incident(attended=True, answers=("A", "The agent's host is down."))
    check(incident, OSError("refused"))
    incident.decide()

    assert "Press Enter to choose none" in night.responder.asked[0]
    assert night.timeline.last(Decided).option == A


def test_nobody_is_asked_where_every_check_passed(night):
    """There is nothing to choose."""
    incident = night.incident(attended=True)
    check(incident, 1)
    check(incident, 1, title="Load")
    incident.decide()

    assert night.timeline.last(Decided).option is None


def test_an_unknown_option_is_named_with_those_there_are(night):
    """A typing error is not a decision."""
    with pytest.raises(StepNotFoundError, match="Option A"):
        night.incident().decide(option="Option C", reason="why not")


def diagnosed(night, action, *answers, **context):
    incident = night.incident(**context)
    check(incident, LATE, *answers)
    incident.decide(A)
    return incident, lambda: incident.act("Restart", action(), because="Lag", **WORDS)


def test_an_action_that_is_not_approved_is_rehearsed(night):
    """Unattended, nothing changes without a yes."""
    action = RecordingAction()
    _, act = diagnosed(night, action)
    act()

    acted = night.timeline.last(Acted)
    assert acted.outcome is Outcome.REHEARSED
    assert acted.rehearsal == {"would change": 1}
    assert (action.done, action.rehearsed) == (0, 1)


def test_an_approved_action_is_written_down_then_done(night):
    """Acting stands before Acted."""
    action = RecordingAction()
    _, act = diagnosed(night, action)
    night.approve(A)
    act()

    kinds = [event.kind for event in night.timeline]
    assert kinds.index("acting") < kinds.index("acted")
    assert night.timeline.last(Acting).approved_by == "alex"
    assert night.timeline.last(Acted).outcome is Outcome.DONE
    assert action.done == 1


def test_an_action_that_only_tells_people_says_so_on_the_timeline(night):
    """A record tells a message from a fix without knowing the channel."""
    _, act = diagnosed(night, RecordingAction(tells="#ops"))
    night.approve(A)
    act()

    assert night.timeline.last(Acting).tells == ("#ops",)
    assert night.timeline.last(Acted).tells == ("#ops",)


def test_an_action_is_not_needed_when_its_check_passes_now(night):
    """The reason is read again at that moment."""
    action = RecordingAction()
    _, act = diagnosed(night, action, 1)
    night.approve(A)
    act()

    assert night.timeline.last(Acted).outcome is Outcome.NOT_NEEDED
    assert action.done == 0


def test_an_action_waits_when_its_check_cannot_be_read(night):
    """Not knowing is no reason to act."""
    action = RecordingAction()
    _, act = diagnosed(night, action, OSError("gone"))
    night.approve(A)
    act()

    acted = night.timeline.last(Acted)
    assert acted.outcome is Outcome.DECLINED
    assert acted.reason == "Nothing calls for it: Lag could not be read."
    assert action.done == 0


def test_an_action_of_an_option_not_chosen_is_declined(night):
    """Approval alone does not choose."""
    action = RecordingAction()
    incident, _ = diagnosed(night, action)
    night.approve(B)
    incident.act("Scale out", action(), because="Lag", **WORDS)

    acted = night.timeline.last(Acted)
    assert acted.outcome is Outcome.DECLINED
    assert "not chosen" in acted.reason
    assert action.done == 0


def test_a_decision_of_another_runbook_chooses_nothing_here(night):
    """Two runbooks of one incident may have an option of the same name."""
    action = RecordingAction()
    incident = night.incident()
    check(incident, LATE)
    night.starts("other-run", runbook="another")
    night.timeline.append(Decided(at=night.clock.now(), run="other-run", option=A, recommended=A))
    night.approve(A)
    incident.act("Restart", action(), because="Lag", **WORDS)

    assert night.timeline.last(Acted).outcome is Outcome.DECLINED
    assert action.done == 0


def test_the_reason_on_the_timeline_is_what_failed(night):
    """Of two checks that may call for it, the one that passed is no reason."""
    incident = night.incident(attended=True, answers=("", "do"))
    check(incident, 1)
    check(incident, LATE, title="Load")
    incident.decide()
    incident.act("Restart", RecordingAction()(), because=("Lag", "Load"), **WORDS)

    assert night.timeline.last(Acting).because == "Load"
    assert night.timeline.last(Acted).because == "Load"


def test_running_the_cell_again_does_not_repeat_a_done_action(night):
    """Nor does another run of the same incident."""
    action = RecordingAction()
    _, act = diagnosed(night, action)
    night.approve(A)
    act()
    act()
    _, act_again = diagnosed(night, action, run="run-2")
    act_again()

    assert action.done == 1
    assert night.timeline.last(Acted).outcome is Outcome.NOT_NEEDED


@pytest.mark.parametrize(("repeatable", "done"), [(False, 0), (True, 1)])
def test_an_action_cut_off_midway_is_repeated_only_if_it_may_be(night, repeatable, done):
    """After a crash a person looks first, unless sending it twice does no harm."""
    action = RecordingAction(repeatable=repeatable)
    _, act = diagnosed(night, action)
    night.approve(A)
    night.timeline.append(
        Acting(
            at=night.clock.now(), title="Restart", call="", option=A, because="", risk="", undo=""
        )
    )
    act()

    assert action.done == done


def test_a_responder_settles_what_was_cut_off_before_it_is_done_again(night):
    """A person looks and says so; then the same step asks as ever."""
    action = RecordingAction()
    answers = ("not done", "Its uptime is 3 days.", "do")
    _, act = diagnosed(night, action, attended=True, answers=answers)
    words = {"title": "Restart", "call": "", "option": A, "because": "", "risk": "", "undo": ""}
    night.timeline.append(Acting(at=night.clock.now(), by="kim", **words))
    act()

    settled = night.timeline.last(Settled)
    assert (settled.outcome, settled.by) == (Settlement.NOT_DONE, "sam")
    assert settled.because == "Its uptime is 3 days."
    assert action.done == 1


def test_a_failed_action_is_recorded_then_raised(night):
    """The timeline knows before anybody reads the error."""
    _, act = diagnosed(night, RecordingAction(error=OSError("connection reset")))
    night.approve(A)

    with pytest.raises(ActionError, match="half done"):
        act()
    assert night.timeline.last(Acted).outcome is Outcome.FAILED
    assert "connection reset" in night.timeline.last(Acted).reason


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"text": "0" * 64}, "runbook changed"),
        ({"parameters": "0" * 64}, "other parameters"),
        ({"calls": {"Restart": "agent.destroy()"}}, "not tests.change"),
    ],
)
def test_an_approval_holds_only_for_what_was_approved(night, change, said):
    """Another text, other parameters or another call need another yes."""
    action = RecordingAction()
    _, act = diagnosed(night, action)
    night.approve(A, **change)
    act()

    acted = night.timeline.last(Acted)
    assert acted.outcome is Outcome.REHEARSED
    assert said in acted.reason
    assert action.done == 0


def test_an_approval_expires(night):
    """A yes from before lunch is not a yes."""
    action = RecordingAction()
    _, act = diagnosed(night, action)
    night.approve(A)
    night.clock.sleep(minutes(31).total_seconds())
    act()

    assert "expired" in night.timeline.last(Acted).reason
    assert action.done == 0


@pytest.mark.parametrize(
    ("kind", "answer", "done"),
    [("lab", "do", 1), ("lab", "yes", 0), ("production", "do", 0), ("production", "INC-1", 1)],
)
def test_attended_the_responder_types_to_confirm(night, kind, answer, done):
    """In production it is the incident id."""
    action = RecordingAction()
    _, act = diagnosed(night, action, attended=True, kind=kind, answers=(answer, ""))
    act()

    assert action.done == done
    assert night.timeline.last(Acted).outcome is (Outcome.DONE if done else Outcome.DECLINED)
    assert night.screen.cards, "the rehearsal is shown before the question"


@pytest.mark.parametrize(
    ("answers", "done"),
    [(("yes", "do"), 1), (("Do", "no"), 0), (("n",), 0), (("y", "yes", "ok", "do"), 0)],
)
def test_a_wrong_word_is_asked_for_again_and_no_is_no(night, answers, done):
    """A slip is no answer; a few of them are a no."""
    action = RecordingAction()
    _, act = diagnosed(night, action, attended=True, answers=answers)
    act()

    assert action.done == done
    for said, again in zip(answers, night.responder.asked[1:], strict=False):
        assert again.startswith(f"That was {said!r}; nothing was done.")


def test_a_step_says_what_it_does_and_takes_it_away(night):
    """A reading says its limit; a verification that waits, its last reading and the time left."""
    action = RecordingAction()
    answers = (LATE, LATE, LATE, LATE, 1)  # to diagnose, before the action, and three looks
    incident, act = diagnosed(night, action, *answers, attended=True, answers=("do",))
    act()
    incident.verify("Lag", within=minutes(2))

    told = [each.partition("Z: ")[2] or each for each in night.screen.done]
    assert told[0] == "reads, at most 5 s."
    assert told[1:3] == ["reads again what calls for it, and rehearses.", "does it, at most 5 s."]
    assert all("FAIL 9.4 s, expected at most 5 s. Reads again, " in each for each in told[3:])
    assert "2 min left at most" in told[3]
    assert night.screen.line == ""


def test_verify_waits_only_after_a_done_action(night):
    """Nothing done, nothing to wait for."""
    incident = night.incident()
    check(incident, LATE)
    incident.verify("Lag", within=minutes(10), readings=3)

    assert night.clock.slept == []
    assert night.timeline.last(Verified).verdict is Verdict.FAIL


def test_where_nothing_was_done_a_fresh_reading_stands(night):
    """Nothing has changed, so nothing is asked again."""
    incident = night.incident()
    check(incident, LATE, 1)
    incident.verify("Lag", within=minutes(10), readings=3)

    verified = night.timeline.last(Verified)
    assert (verified.verdict, verified.evidence.answer) == (Verdict.FAIL, LATE)
    assert verified.evidence == night.timeline.last(Checked).evidence


@pytest.mark.parametrize("attended", [False, True])
def test_a_reading_stands_once_and_before_a_person_not_for_long(night, attended):
    """Whoever runs it again, or after a while, did something that no timeline tells."""
    incident = night.incident(attended=attended)
    check(incident, LATE, 1)
    if attended:
        night.clock.sleep(STANDS_S + 1)
    else:
        incident.verify("Lag", within=minutes(10))
    incident.verify("Lag", within=minutes(10))

    assert night.timeline.last(Verified).evidence.answer == 1


@pytest.mark.parametrize("what", ["undone", "failed", "answered", "noted", "settled"])
def test_a_reading_of_before_a_change_does_not_stand(night, what):
    """Nothing that was not read is ever pass, nor does an old failure outlive its repair."""
    error = OSError("half way") if what == "failed" else None
    incident, act = diagnosed(night, RecordingAction(error=error), LATE, 1)
    check(incident, LATE, 1, title="Load")
    night.approve(A)
    if what == "answered":
        night.timeline.append(Asked(at=night.clock.now(), question="Q", owner="", answer="Did."))
    elif what == "noted":
        incident.note("Restarted it by hand.")
    elif what == "failed":
        with pytest.raises(ActionError):
            act()
        [attempt] = queries.unsettled(night.timeline)
        settled(night, attempt.id)
    elif what == "settled":
        settled(night, "run-0.1")
    else:
        act()
        night.approve(UNDO_RESTART)
        incident.undo("Restart")
    incident.verify("Load", within=minutes(10))

    verified = night.timeline.last(Verified)
    assert (verified.verdict, verified.evidence.answer) == (Verdict.PASS, 1)


def settled(night, attempt):
    night.timeline.append(
        Settled(
            at=night.clock.now(),
            title="Restart",
            attempt=attempt,
            outcome=Settlement.NOT_DONE,
            evidence="Looked.",
        )
    )


@pytest.mark.parametrize(
    "why", ["stale", "another call", "another limit", "another failing limit", "another run"]
)
def test_where_nothing_was_done_a_reading_that_does_not_stand_is_taken_anew(night, why):
    """It is old, or of another question."""
    incident = night.incident()
    check(incident, LATE, 1)
    probe = scripted_probe(
        1, unit="s", name="tests.other" if why == "another call" else "tests.answer"
    )
    if why == "stale":
        night.clock.sleep(3600)
    elif why == "another run":
        incident = night.incident(run="run-2")
    expect = at_most(6 if why == "another limit" else 5, "s")
    fail = above(9 if why == "another failing limit" else 8, "s")
    incident.plan.keep_check("Lag", probe, expect=expect, fail=fail, if_failed=A, covered=True)
    incident.verify("Lag", within=minutes(10))

    assert night.timeline.last(Verified).verdict is Verdict.PASS
    assert night.clock.slept in ([], [3600])


def test_verify_repeats_until_the_check_holds(night):
    """Readings in a row, not in all."""
    incident, act = diagnosed(night, RecordingAction(), LATE, 1, LATE, 1, 1)
    night.approve(A)
    act()
    incident.verify("Lag", within=minutes(10), readings=2)

    verified = night.timeline.last(Verified)
    assert (verified.verdict, verified.readings, verified.wanted) == (Verdict.PASS, 2, 2)
    assert len(night.clock.slept) == 3


def test_verify_gives_up_when_time_is_up(night):
    """It says how it stands then."""
    incident, act = diagnosed(night, RecordingAction(), LATE)
    night.approve(A)
    act()
    incident.verify("Lag", within=seconds(10), readings=2)

    assert night.timeline.last(Verified).verdict is Verdict.FAIL
    assert sum(night.clock.slept) >= timedelta(seconds=10).total_seconds() - 1


def test_undo_takes_back_only_what_was_done(night):
    """And only once."""
    action = RecordingAction()
    incident, act = diagnosed(night, action)
    night.approve(A)
    act()
    night.approve(UNDO_RESTART)
    incident.undo("Restart")

    assert action.undone == 1
    assert night.timeline.last(Undone).result == {"taken back": {"changed": 1}}
    with pytest.raises(ActionError, match="undone already"):
        incident.undo("Restart")


def test_after_an_undo_the_action_may_be_done_again(night):
    """What was taken back is not done."""
    action = RecordingAction()
    incident, act = diagnosed(night, action)
    night.approve(A)
    act()
    night.approve(UNDO_RESTART)
    incident.undo("Restart")
    act()

    assert action.done == 2


def test_a_manual_step_stays_open_when_nobody_is_there(night):
    """A machine does not answer for a person."""
    night.incident().ask("Call the database lead.", owner="Operations")

    assert night.timeline[-1].answer is None


def test_a_manual_step_keeps_the_answer(night):
    """The responder's own words."""
    night.incident(attended=True, answers=("Called, on their way.",)).ask("Call.", owner="Ops")

    assert night.timeline[-1].answer == "Called, on their way."


def test_stop_ends_the_run_with_its_reason(night):
    """A clean end is an event too."""
    with pytest.raises(RunStopped, match="does not apply"):
        night.incident().stop("This runbook does not apply.")

    assert night.timeline[-1].kind == "stopped"


def test_a_closed_incident_takes_no_more_steps(night):
    """Its record is made."""
    incident = night.incident()
    night.timeline.append(Closed(at=night.clock.now(), by="sam"))

    with pytest.raises(IncidentStateError, match="was closed at"):
        check(incident, 1)


EDITED = "incident.check('Lag', p.ask(), expect=at_most(20, 's'))"


def test_an_edited_cell_is_on_the_timeline_on_its_card_and_on_the_board(night):
    """A responder who had to change a step sees it marked, and so does the reviewer."""
    night.cell = EDITED
    card = check(night.incident(attended=True), 1)

    changed = night.timeline.last(Changed)
    assert (changed.verb, changed.title) == ("check", "Lag")
    assert changed.before == "incident.check('Lag', p.ask())"
    assert changed.after == EDITED
    assert "Changed: this cell is not the runbook's" in repr(card)
    assert [step.title for step in night.screen.newest.steps if step.changed] == ["Lag"]


def test_a_step_put_back_as_it_was_is_no_longer_marked(night):
    """The board says what ran last."""
    incident = night.incident(attended=True)
    night.cell = EDITED
    check(incident, 1)
    night.cell = "incident.check('Lag', p.ask())"
    check(incident, 1)

    assert not any(step.changed for step in night.screen.newest.steps)


@pytest.mark.parametrize(
    "cell",
    ["incident.check('Lag', p.ask())", 'incident.check(\n    "Lag",\n    p.ask(),  # why\n)\n'],
)
def test_another_layout_is_no_edit(night, cell):
    """What counts is what a cell does."""
    night.cell = cell
    check(night.incident(attended=True), 1)

    assert night.timeline.last(Changed) is None


def test_a_step_that_the_runbook_does_not_have_is_an_edit(night):
    """Perhaps it should have it."""
    night.cell = "incident.check('Queue', p.depth())"
    check(night.incident(attended=True), 1, title="Queue")

    assert night.timeline.last(Changed).before == ""


def test_the_responders_own_words_are_no_edit(night):
    """A note and another choice are what these verbs are for."""
    incident = night.incident(attended=True)
    night.cell = "incident.note('Told #incidents.')"
    incident.note("Told #incidents.")
    night.cell = "incident.decide(option='B', reason='The restart is frozen.')"
    incident.decide(option="B", reason="The restart is frozen.")

    assert night.timeline.last(Changed) is None


@pytest.mark.parametrize("edited", ["check", "act"])
def test_an_approval_does_not_cover_a_cell_that_was_edited_since(night, edited):
    """The text that runs counts, not the text on disk; nor may its check be another one."""
    cells = {
        "check": "incident.check('Lag', p.ask())",
        "act": "incident.act('Restart', a.change())",
    }
    cells[edited] = cells[edited].replace("()", "(force=True)")
    action = RecordingAction()
    night.cell = cells["check"]
    incident, _ = diagnosed(night, action)
    night.approve(A)
    night.cell = cells["act"]
    incident.act("Restart", action(), because="Lag", **WORDS)

    acted = night.timeline.last(Acted)
    assert acted.outcome is Outcome.REHEARSED
    title = "Restart" if edited == "act" else "Lag"
    assert f"The cell of {title!r} is not as it was" in acted.reason
    assert action.done == 0


def test_an_open_question_holds_nobody_up(night):
    """Who thinks keeps no other from acting, and is told then that it is done."""
    action = RecordingAction()

    def confirm_after_another_one_acted(_question: str) -> str:
        act_too()
        return "do"

    _, act = diagnosed(night, action, attended=True, ask=confirm_after_another_one_acted)
    kim = {"actor": "kim", "run": "run-2", "answers": ("do",)}
    _, act_too = diagnosed(night, action, attended=True, **kim)
    act()

    assert action.done == 1
    mine = night.timeline.last(Acted)
    assert (mine.run, mine.outcome) == ("run-1", Outcome.NOT_NEEDED)
    assert "by kim" in mine.reason


def test_an_answer_stands_until_another_one_is_given(night):
    """Whoever runs the cell again and presses Enter takes nothing back."""
    incident = night.incident(attended=True, answers=("Posted at 03:12.", "", "Posted again."))
    incident.ask("Tell #incidents.", owner="Communications")
    incident.ask("Tell #incidents.", owner="Communications")
    assert night.timeline.last(Asked).answer == "Posted at 03:12."
    incident.ask("Tell #incidents.", owner="Communications")

    assert [asked.answer for asked in night.timeline.of(Asked)] == [
        "Posted at 03:12.",
        "Posted again.",
    ]
    assert "by sam: 'Posted at 03:12.'" in night.responder.asked[1]


def test_a_closed_incident_asks_nobody_anything(night):
    """What is typed after the close would be lost."""
    incident = night.incident(attended=True)
    night.timeline.append(Closed(at=night.clock.now(), by="kim"))

    with pytest.raises(IncidentStateError, match="was closed"):
        incident.ask("Tell #incidents.", owner="Communications")
    assert night.responder.asked == []
