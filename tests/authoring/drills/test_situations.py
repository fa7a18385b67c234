"""Variations and look-alikes: named in a drill, diagnosed alone, compared with what is expected."""

import json
from pathlib import Path

import pytest

from runbook_nb.authoring.drills import run_situation
from runbook_nb.authoring.drills.situations import situations_table
from runbook_nb.runbook.drill import Drill, Situation, SituationKind
from runbook_nb.runbook.packs import find_lab

DRILL = Path(__file__).parents[3] / "notebooks" / "drills" / "rollback_procedure.flag_errors.json"
OPTION = "Option A: Turn the flag off"


def with_extension(tmp_path: Path, **told: object) -> Drill:
    """A shipped drill that names situations."""
    experiment = json.loads(DRILL.read_text())
    path = tmp_path / DRILL.name
    extension = {"name": "runbook", **told}
    path.write_text(json.dumps({**experiment, "extensions": [{"name": "other"}, extension]}))
    return Drill.at(path)


def test_a_variation_expects_what_its_drill_does_unless_it_says_else(tmp_path):
    """Parameters as well."""
    drill = with_extension(
        tmp_path,
        variations=[
            {"fault": "flag_errors.young", "parameters": {"window_s": 5}},
            {"fault": "flag_errors.alike", "expect": {"failed": [], "option": None}},
        ],
    )
    young, alike = drill.situations

    assert young.kind is SituationKind.VARIATION
    assert young.name == "rollback_procedure.flag_errors.young"
    assert young.expect["failed"] == drill.expectation["failed"]
    assert young.expect["option"] == OPTION
    assert young.parameters == {**drill.arguments["parameters"], "window_s": 5}
    assert (alike.expect["failed"], alike.expect["option"]) == ([], None)


def test_a_look_alike_expects_nothing_unless_it_says_so(tmp_path):
    """The drill of the fault beside it counts for nothing."""
    (alike,) = with_extension(tmp_path, look_alikes=[{"fault": "quiet_night"}]).situations

    assert alike.kind is SituationKind.LOOK_ALIKE
    assert alike.expect == {"failed": [], "warned": [], "unknown": [], "option": None}


@pytest.mark.parametrize("odd", [None, "text", [1], {"variations": 3}, [{"name": "runbook"}]])
def test_an_extension_that_says_nothing_names_nothing(tmp_path, odd):
    """Chaos Toolkit lets anybody write there."""
    path = tmp_path / "a.b.json"
    path.write_text(json.dumps({"extensions": odd}))

    assert Drill.at(path).situations == []


@pytest.mark.usefixtures("lab")
def test_a_diagnosis_is_compared_with_what_a_situation_expects(tmp_path, monkeypatch):
    """What differs is said by its words, the lab is healed, and no incident stays."""
    monkeypatch.setenv("RUNBOOK_INCIDENTS", str(tmp_path / "incidents"))
    (drilled,) = with_extension(tmp_path, variations=[{"fault": "flag_errors"}]).situations
    told = {**drilled.expect, "option": None}
    wrong = Situation(**{**vars(drilled), "expect": told})
    lab = find_lab()

    found, missed = run_situation(drilled, lab=lab), run_situation(wrong, lab=lab)

    assert (found.problem, found.found["option"]) == ("", OPTION)
    assert missed.problem == f"option: expected none, found {OPTION}"
    assert not list(lab.wait_until_quiet())
    assert not (tmp_path / "incidents").exists()
    *_, counted, last = situations_table([found, missed]).splitlines()
    assert counted == "2 situations, 1 wrong."
    assert "WRONG" in last


@pytest.mark.usefixtures("lab")
def test_a_situation_without_its_fault_is_wrong_and_says_so():
    """It is no pass."""
    (drill,) = [Drill.at(DRILL)]
    unknown = Situation(
        runbook=drill.runbook,
        fault="flag_errors.nowhere",
        kind=SituationKind.VARIATION,
        expect=drill.expectation,
        parameters={},
    )

    assert "No fault 'flag_errors.nowhere'" in run_situation(unknown, lab=find_lab()).problem
