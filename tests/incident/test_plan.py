"""The plan: every step is known from the notebook's text before it has run, and nothing runs."""

import json
import threading
import time
from datetime import timedelta

import pytest

from runbook_nb import action, at_most, combine, probe, seconds
from runbook_nb.errors import RunbookFormatError, StepNotFoundError
from runbook_nb.incident.cards.card import CHANGED
from runbook_nb.incident.plan import Plan
from runbook_nb.runbook.runbook import Runbook
from runbook_nb.timeline.events import (
    Acted,
    Asked,
    Changed,
    Checked,
    Outcome,
    Undone,
    Verdict,
    Verified,
)

CHECK = "incident.check({0!r}, system.lag(of={0!r}), expect=at_most(5, 's'), if_failed={1!r})"
ACT = "incident.act('Restart', system.restart(wait=seconds(2)), because='Lag', risk='', undo='')"
A = "Option A: Restart"


class System:
    """A system whose answers and effects a test sees."""

    def __init__(self) -> None:
        self.answers, self.asked, self.effects = {}, [], []
        system = self

        @probe(unit="s")
        def lag(_systems, *, of: str):
            system.asked.append(of)
            return system.answers.get(of, 9)

        @action()
        def restart(_systems, *, wait: timedelta):
            system.effects.append(wait)
            return {"restarted": 1}

        restart.undo(lambda _systems, _result, *, wait: system.effects.append(-wait))
        self.lag, self.restart = lag, restart

    def boom(self, *_args: object, **_words: object) -> None:
        """Do harm when called."""
        self.effects.append("boom")


@pytest.fixture
def system():
    return System()


@pytest.fixture
def names(system):
    known = {"at_most": at_most, "seconds": seconds, "combine": combine}
    return {**known, "system": system, "boom": system.boom, "wait_s": 2}


@pytest.fixture
def saved(night):
    """Save the notebook of the night with these cells under its titles."""

    def save(**cells):
        document = json.loads(night.runbook.path.read_text(encoding="utf-8"))
        told = {title: CHECK.format(title, A) for title in ("Lag", "Load")}
        told |= {"Restart": ACT, "Scale out": ACT.replace("'Restart'", "'Scale out'")}
        for title, source in {**told, **cells}.items():
            for cell in document["cells"]:
                if cell["cell_type"] == "code" and f"({title!r}," in cell["source"]:
                    cell["source"] = source
        night.runbook.path.write_text(json.dumps(document), encoding="utf-8")
        night.runbook = Runbook.read(night.runbook.path)
        return night.runbook

    return save


@pytest.fixture
def plan(saved, names):
    return Plan(saved(), names=lambda: names)


def test_all_steps_are_known_and_none_has_run(plan, system):
    """Checks with their calls, actions with the option they belong to."""
    assert [str(check.probe) for check in plan.diagnosis()] == [
        "test_plan.lag(of='Lag')",
        "test_plan.lag(of='Load')",
    ]
    restart = plan.action("Restart")
    assert (restart.option, restart.because) == (A, ("Lag",))
    assert str(restart.action) == "test_plan.restart(wait=2 s)"
    assert (system.asked, system.effects) == ([], [])


def test_a_title_that_no_step_has_is_told_with_the_near_one(plan):
    """A wrong letter at night."""
    with pytest.raises(StepNotFoundError, match="Load"):
        plan.check("Laod")


@pytest.mark.parametrize(
    "call",
    [
        "boom()",
        "system.boom()",
        "system.lag(of=boom())",
        "[system.lag(of=name) for name in ('Lag',)][0]",
        "system.__class__()",
        "(lambda: system.lag(of='Lag'))()",
        "system.lag(**{'of': 'Lag'})",
        "system.lag(of=missing)",
        "system.lag(since=1)",
        "system.lag(of='Lag') if boom() else None",
        "eval('boom()')",
        "system.restart(wait=seconds(1))",
        "'Lag'",
    ],
)
def test_what_is_more_than_a_waiting_call_is_not_planned_and_nothing_of_it_runs(
    saved, names, system, call
):
    """The step is named, and its cell still runs when a person runs it."""
    plan = Plan(
        saved(Lag=CHECK.format("Lag", A).replace("system.lag(of='Lag')", call)), names=lambda: names
    )

    with pytest.raises(RunbookFormatError, match="'Lag'"):
        plan.check("Lag")
    assert [check.title for check in plan.diagnosis()] == ["Load"]
    assert len(plan.problems()) == 1
    assert (system.asked, system.effects) == ([], [])


@pytest.mark.parametrize(
    "call",
    [
        "system.restart(wait=seconds(wait_s))",
        "combine(system.restart(wait=seconds(1)), system.restart(wait=seconds(2)))",
    ],
)
def test_parameters_and_joined_actions_are_planned(saved, names, system, call):
    """What runbooks are written with."""
    plan = Plan(
        saved(Restart=ACT.replace("system.restart(wait=seconds(2))", call)), names=lambda: names
    )

    assert "restart" in str(plan.action("Restart").action)
    assert plan.problems() == []
    assert system.effects == []


def test_an_action_can_be_done_verified_and_undone_from_any_state(night, saved, names, system):
    """Each in a run of its own, as in a kernel that was restarted: no cell of a check ran there."""
    saved()
    first = night.incident(names=names)
    first.check("Lag", system.lag(of="Lag"), expect=at_most(5, "s"), if_failed=A)
    first.check("Load", system.lag(of="Load"), expect=at_most(5, "s"), if_failed=A)
    night.starts("run-1")
    first.decide()
    night.approve(A)
    night.starts("run-2")
    second = night.incident(names=names, run="run-2")
    second.act("Restart", second.plan.action("Restart").action, because="Lag", risk="", undo="")
    third = night.incident(names=names, run="run-3")
    system.answers["Lag"] = 1
    third.verify("Lag", within=seconds(10))
    night.approve("Undo: Restart")
    night.incident(names=names, run="run-4").undo("Restart")

    assert night.timeline.last(Acted).outcome is Outcome.DONE
    assert night.timeline.last(Verified).verdict is Verdict.PASS
    assert night.timeline.last(Undone).outcome is Outcome.DONE
    assert system.effects == [seconds(2), -seconds(2)]


def test_a_cell_that_was_edited_and_saved_is_planned_as_it_stands_and_marked(
    night, saved, names, system
):
    """It is never shown as the runbook's own, and an approval of the text before covers it not."""
    night.folder.joinpath("notebooks").mkdir()
    saved()
    incident = night.incident(names=names)
    edited = CHECK.format("Lag", A).replace("5", "20")
    saved(Lag=edited)
    incident.verify("Lag", within=seconds(0))

    changed = night.timeline.last(Changed)
    assert (changed.verb, changed.title, changed.after) == ("verify", "Lag", edited)
    assert night.timeline.last(Verified).expect == str(at_most(20, "s"))
    assert not incident.plan.check("Lag").covered
    assert incident.plan.action("Restart").uncovered == ("Lag",)


def test_what_a_cell_said_when_it_ran_counts_before_its_text(plan, system):
    """A responder ran it so."""
    plan.keep_check("Lag", system.lag(of="now"), expect=at_most(1, "s"), if_failed=A, covered=False)

    assert plan.check("Lag").expect == at_most(1, "s")
    assert plan.action("Restart").uncovered == ("Lag",)


def test_a_notebook_that_is_being_saved_is_planned_as_it_was(plan, night):
    """Half a file is no text."""
    night.runbook.path.write_text('{"cells": [', encoding="utf-8")

    assert plan.check("Lag").title == "Lag"


def test_the_first_check_has_the_whole_diagnosis_read(night, saved, names, system):
    """Each reading is written when its own check runs, in the order of the notebook."""
    saved()
    incident = night.incident(names=names)
    incident.check("Lag", system.lag(of="Lag"), expect=at_most(5, "s"), if_failed=A)
    assert [checked.title for checked in night.timeline.of(Checked)] == ["Lag"]
    incident.check("Load", system.lag(of="Load"), expect=at_most(5, "s"), if_failed=A)

    assert [checked.title for checked in night.timeline.of(Checked)] == ["Lag", "Load"]
    assert sorted(system.asked) == ["Lag", "Load"]


def test_a_check_that_runs_again_reads_anew(night, saved, names, system):
    """A reading is given out once."""
    saved()
    incident = night.incident(names=names)
    for _ in range(2):
        incident.check("Lag", system.lag(of="Lag"), expect=at_most(5, "s"), if_failed=A)

    assert system.asked.count("Lag") == len(night.timeline.of(Checked))


def test_after_an_action_nothing_that_was_read_before_counts(night, saved, names, system):
    """It changed what they read."""
    saved()
    incident = night.incident(names=names)
    incident.check("Lag", system.lag(of="Lag"), expect=at_most(5, "s"), if_failed=A)
    night.approve(A)
    incident.decide(A, "Asked for.")
    incident.act("Restart", system.restart(wait=seconds(2)), because="Lag", risk="", undo="")
    system.answers["Load"] = 1
    incident.check("Load", system.lag(of="Load"), expect=at_most(5, "s"), if_failed=A)

    assert night.timeline.last(Checked).evidence.answer == 1


def test_an_action_cuts_what_the_diagnosis_still_reads(night, saved, names, system):
    """Its answer would be of before and of after at once."""
    opened, reached, held = [], threading.Event(), threading.Event()

    @probe(unit="s")
    def slow(systems):
        opened.append(systems.http("agent"))
        reached.set()
        held.wait(20)

    saved(Load=CHECK.format("Load", A).replace("system.lag(of='Load')", "slow()"))
    systems = {"agent": {"url": "http://127.0.0.1:9"}}
    incident = night.incident(names={**names, "slow": slow}, systems=systems)
    incident.check("Lag", system.lag(of="Lag"), expect=at_most(5, "s"), if_failed=A)
    assert reached.wait(20)
    incident.act("Restart", system.restart(wait=seconds(2)), because="Lag", risk="", undo="")

    assert [each._client.is_closed for each in opened] == [True]
    held.set()


@pytest.mark.parametrize("what", ["answered", "undone", "noted"])
def test_after_a_person_did_something_nothing_that_was_read_before_counts(
    night, saved, names, system, what
):
    """Also where no action of the runbook did it."""
    saved()
    incident = night.incident(names=names)
    incident.check("Lag", system.lag(of="Lag"), expect=at_most(5, "s"), if_failed=A)
    if what == "answered":
        night.timeline.append(Asked(at=night.clock.now(), question="Q", owner="", answer="Did."))
    elif what == "noted":
        incident.note("Restarted it by hand.")
    else:
        night.approve(A)
        incident.decide(A, "Asked for.")
        incident.act("Restart", system.restart(wait=seconds(2)), because="Lag", risk="", undo="")
        night.approve("Undo: Restart")
        incident.undo("Restart")
    system.answers["Load"] = 1
    incident.check("Load", system.lag(of="Load"), expect=at_most(5, "s"), if_failed=A)

    assert night.timeline.last(Checked, title="Load").evidence.answer == 1


def test_a_reading_that_waited_for_slow_neighbours_too_long_is_taken_anew(
    night, saved, names, system
):
    """A check says itself for how long it is fresh."""
    saved()
    incident = night.incident(names=names)
    incident.check("Lag", system.lag(of="Lag"), expect=at_most(5, "s"), if_failed=A)
    until_read(system, "Load")
    night.clock.sleep(10)
    system.answers["Load"] = 1
    told = {"expect": at_most(5, "s"), "if_failed": A, "fresh": seconds(5)}
    incident.check("Load", system.lag(of="Load"), **told)

    assert night.timeline.last(Checked, title="Load").evidence.answer == 1


def until_read(system, title):
    ends = time.monotonic() + 20
    while title not in system.asked and time.monotonic() < ends:
        threading.Event().wait(0.01)
    assert title in system.asked


@pytest.mark.parametrize("ran", [True, False])
def test_what_verifies_an_edited_check_is_marked_as_edited_too(night, saved, names, system, ran):
    """Whether its cell ran or was only saved, it is not the runbook's and never plainly green."""
    saved()
    incident = night.incident(names=names, attended=True)
    edited = CHECK.format("Lag", A).replace("5", "20")
    if ran:
        night.cell = edited
        incident.check("Lag", system.lag(of="Lag"), expect=at_most(20, "s"), if_failed=A)
        night.cell = ""
    else:
        saved(Lag=edited)
    card = incident.verify("Lag", within=seconds(0))

    assert CHANGED in repr(card)
    assert ("verify", "Lag") in {
        (changed.verb, changed.title) for changed in night.timeline.of(Changed)
    }
