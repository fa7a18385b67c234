"""What a runbook's answer to a fault is worth, and how the answers are shown."""

import json
import os
import signal

import pytest

from runbook_nb.authoring.drills import find_drills, matrix_table, owners_of, sampled
from runbook_nb.authoring.drills.matrix import Answer, judge
from runbook_nb.cli.lab import seen_and_kept
from runbook_nb.record.site import MatrixCell
from runbook_nb.record.site.matrix import kept_matrix
from runbook_nb.runbook.drill import Drill
from runbook_nb.runbook.packs import find_lab
from runbook_nb.runbook.runbook import Runbook

HEARTBEAT = "heartbeat_failure_recovery"
RESTART = "Option A: Restart the agent"
OWNERS = {"oauth_token_rotation": "Option A: Send the customer a link", "control": None}


@pytest.fixture
def heartbeat():
    """A shipped runbook with actions."""
    return Runbook.find(HEARTBEAT)


@pytest.mark.parametrize(
    ("option", "complete", "answer"),
    [
        (None, True, Answer.NOTHING),
        ("Option C: Continue with oauth_token_rotation", True, Answer.POINTS),
        ("ACTS", True, Answer.WRONG),
        ("Option Z: Ask the partner", True, Answer.NOTHING),
        (None, False, Answer.INCOMPLETE),
    ],
)
def test_what_is_anothers_is_left_or_pointed_to(heartbeat, option, complete, answer):
    """An option that acts is wrong there, one that only asks is not."""
    acting = next(step.option for step in heartbeat.steps if step.verb == "act" and step.option)
    found = {"option": acting if option == "ACTS" else option, "complete": complete}

    assert judge(heartbeat, OWNERS, found) is answer


@pytest.mark.parametrize(
    ("wanted", "chosen", "answer"),
    [
        (RESTART, RESTART, Answer.OWN),
        (RESTART, None, Answer.WRONG),
        (RESTART, "Option B: Stop", Answer.WRONG),
        (None, None, Answer.NOTHING),
        (None, RESTART, Answer.WRONG),
    ],
)
def test_what_is_ones_own_is_named_as_the_drill_says(heartbeat, wanted, chosen, answer):
    """Also where the drill says that nothing is to be chosen."""
    found = {"option": chosen, "complete": True}

    assert judge(heartbeat, {HEARTBEAT: wanted}, found) is answer


@pytest.mark.parametrize(
    ("owners", "option", "answer"),
    [
        # Whoever is pointed to may answer as it does.
        ({"rollback_procedure": f"Option F: Continue with {HEARTBEAT}"}, RESTART, Answer.OWN),
        ({"rollback_procedure": "Option F: Continue with another_one"}, RESTART, Answer.WRONG),
        # Pointing to whom the owner points to is as right.
        (
            {"rollback_procedure": "Option F: Continue with composio_api_outage"},
            "Option I: Continue with composio_api_outage",
            Answer.POINTS,
        ),
    ],
)
def test_who_is_pointed_to_owns_it_too(owners, option, answer):
    found = {"option": option, "complete": True, "failed": []}
    assert judge(Runbook.find(HEARTBEAT), owners, found) is answer


def test_a_drill_names_who_else_may_mend_its_fault(tmp_path):
    """A drill of the other runbook itself says more."""
    path = tmp_path / "telemetry_ingestion_stall.inserts_refused.json"
    also = {"rls_policy_debugging": "Option C: Restore the grants"}
    path.write_text(json.dumps({"extensions": [{"name": "runbook", "also": also}]}))
    owners = owners_of([Drill.at(path)])["inserts_refused"]
    assert owners == {**also, "telemetry_ingestion_stall": None}


def test_a_sample_is_drawn_of_the_faults_and_the_same_seed_draws_the_same():
    """Control runs inject nothing, so they are no fault."""
    drills = find_drills()
    every = sampled(list(owners_of(drills)), None, seed=1)
    assert "none" not in every
    assert {drill.fault for drill in drills} - set(every) == {"none"}
    assert sampled(every, 3, seed=7) == sampled(every, 3, seed=7)
    assert len(sampled(every, 3, seed=7)) == 3
    assert sampled(every, 999, seed=1) == every


def test_a_look_alike_is_in_the_matrix_with_what_its_runbook_must_choose(tmp_path):
    """Nothing is chosen where the control says no more."""
    path = tmp_path / "heartbeat_failure_recovery.none.json"
    path.write_text(
        json.dumps({"extensions": [{"name": "runbook", "look_alikes": [{"fault": "tabs_closed"}]}]})
    )

    assert owners_of([Drill.at(path)]) == {"tabs_closed": {HEARTBEAT: None}}


def test_the_table_names_each_wrong_answer():
    """Below it, with what failed and how long it took."""
    told = {"failed": ("Lag",), "took_s": 3.0}
    cells = [
        MatrixCell(
            fault="hung",
            runbook="a",
            answer=Answer.OWN,
            is_right=Answer.OWN.is_right,
            option=RESTART,
            **told,
        ),
        MatrixCell(
            fault="hung",
            runbook="b",
            answer=Answer.WRONG,
            is_right=Answer.WRONG.is_right,
            option=RESTART,
            **told,
        ),
        MatrixCell(
            fault="lost",
            runbook="a",
            answer=Answer.NOTHING,
            is_right=Answer.NOTHING.is_right,
            option=None,
            **told,
        ),
    ]
    head, hung, lost, counted, wrong = matrix_table(cells).splitlines()

    assert head.split() == ["fault", "a", "b"]
    assert hung.split() == ["hung", "A", "WRONG", "A"]
    assert lost.split() == ["lost", "·"]
    assert counted == "3 answers, 1 wrong."
    assert wrong == f"hung seen by b: wrong, {RESTART} (Lag) in 3 s"


@pytest.mark.usefixtures("lab")
def test_a_matrix_that_is_cut_off_heals_the_lab_and_keeps_what_was_seen(tmp_path, monkeypatch):
    """Whoever waits an hour for it may have seen enough, and a scheduler waits no longer."""
    monkeypatch.setenv("RUNBOOK_INCIDENTS", str(tmp_path))
    said = []

    def tell(text):
        said.append(text)
        if len(said) == 1:
            os.kill(os.getpid(), signal.SIGTERM)

    drills = [*find_drills("rollback_procedure"), *find_drills(HEARTBEAT)]
    with pytest.raises(KeyboardInterrupt):
        seen_and_kept(drills, ["flag_errors"], tell=tell)

    (cell,) = kept_matrix(tmp_path).cells
    assert (cell.fault, cell.runbook) == ("flag_errors", HEARTBEAT)
    assert said[1].splitlines()[0].split() == ["fault", HEARTBEAT]
    assert not list(find_lab().wait_until_quiet())
