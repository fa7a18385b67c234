"""A validation renews header and log only when control and every drill pass."""

import io
import json
from datetime import date

import pytest
from said_drills import NAME, SaidDrills

from runbook_nb.authoring.drills import DrillResult, run_drill
from runbook_nb.authoring.maintenance import chosen, due
from runbook_nb.authoring.maintenance.mismatch import shortfalls
from runbook_nb.errors import DrillError, LabError, ParameterError
from runbook_nb.runbook.catalog import read_entries
from runbook_nb.runbook.drill import Drill
from runbook_nb.runbook.pair import out_of_date
from runbook_nb.runbook.policy import Policy
from runbook_nb.runbook.runbook import Runbook
from runbook_nb.runs.engine.progress import for_stream
from runbook_nb.testing import environ
from runbook_nb.text.files import write_all

CHOSEN_ANOTHER = (
    "option chosen: expected Option F: Write lag in whole milliseconds, "
    "found Option A: Restart the agent"
)


def test_a_validation_that_passes_renews_header_and_log_and_nothing_else(validator, notebooks):
    """The pair stays a pair, and the text between is the same."""
    path = notebooks / f"{NAME}.md"
    before = path.read_text()

    validation = validator(SaidDrills()).validate(NAME)

    after = path.read_text()
    assert validation.passed
    row = "| 2026-11-23 | sam | lab | passed | control and 1 fault in 3 s, commit abc1234 |"
    assert after.endswith(f"|---|---|---|---|---|\n{row}\n")
    assert "| **Last Validated** | 2026-11-23 |" in after
    assert out_of_date(path) == []
    assert Runbook.find(NAME).front["validations"][0]["notes"].endswith("commit abc1234")
    body = slice(before.index("```python tags"), before.index("## Validation Log"))
    assert before[body] in after


def test_a_second_validation_adds_a_second_row(validator):
    """The log is a history."""
    for _ in range(2):
        validator(SaidDrills()).validate(NAME)

    assert len(Runbook.find(NAME).front["validations"]) == 2


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"failed": ["Beat gap"]},
            [
                "check 'Unreadable lag': expected fail, found pass",
                "check 'Beat gap': expected pass, found fail",
            ],
        ),
        ({"unknown": ["State growth"]}, ["check 'State growth': expected pass, found unknown"]),
        (
            {"option": "Option A: Restart the agent"},
            [CHOSEN_ANOTHER],
        ),
        ({"done": []}, ["actions done: expected Write lag in whole milliseconds, found none"]),
        ({"resolved": False}, ["resolved: expected yes, found no"]),
        (
            {"complete": False, "failed": []},
            [
                "check 'Unreadable lag': expected fail, found no verdict, or pass",
                "the run: expected runs to its end, found it broke off",
            ],
        ),
    ],
)
def test_a_failure_leaves_the_pair_untouched_and_says_where(validator, notebooks, changes, said):
    """Which drill, which check, expected and found."""
    before = {path: path.read_bytes() for path in notebooks.rglob("*.*")}

    validation = validator(SaidDrills(**changes)).validate(NAME)

    assert not validation.passed
    assert [lack.said for lack in validation.lacks] == [f"{NAME}.lag_decimal: {s}" for s in said]
    assert {path: path.read_bytes() for path in notebooks.rglob("*.*")} == before


def test_a_drill_that_cannot_run_has_not_passed_and_the_others_go_on(validator, notebooks):
    """An error is a failure of that drill, with its words."""
    drills = SaidDrills()

    def run(drill):
        if drill.fault == "none":
            raise LabError("The lab is gone.")
        return drills(drill)

    validation = validator(run).validate(NAME)

    assert drills.ran == ["lag_decimal"]
    assert validation.lacks[0].said.endswith("expected it passes, found The lab is gone.")


def test_an_interrupted_drill_ends_the_validation(validator, notebooks):
    """Nothing is concluded from half of it, and no further drill begins."""
    before = (notebooks / f"{NAME}.md").read_bytes()

    def run(drill):
        return DrillResult(drill=drill, problem="interrupted", took_s=1, interrupted=True)

    with pytest.raises(KeyboardInterrupt):
        validator(run).validate(NAME)
    assert (notebooks / f"{NAME}.md").read_bytes() == before


def test_the_control_runs_first(validator):
    """A lab that is not well explains every failure after it."""
    drills = SaidDrills()

    validator(drills).validate(NAME)

    assert drills.ran == ["none", "lag_decimal"]


def test_a_runbook_that_was_edited_meanwhile_is_not_proven(validator, notebooks):
    """What passed is not what stands there now; the edit is kept."""
    path, drills = notebooks / f"{NAME}.md", SaidDrills()
    edited = path.read_text().replace("Hold the review", "Hold a review")
    drills.before = lambda: path.write_text(edited)

    validation = validator(drills).validate(NAME)

    assert "it was changed meanwhile" in validation.lacks[0].said
    assert path.read_text() == edited


@pytest.mark.parametrize(
    ("missing", "said"), [("none", "no control drill"), ("lag_decimal", "no drill with a fault")]
)
def test_half_a_proof_is_refused_before_anything_runs(validator, notebooks, missing, said):
    """Without a control, or without a fault."""
    (notebooks / "drills" / f"{NAME}.{missing}.json").unlink()
    drills = SaidDrills()

    with pytest.raises(DrillError, match=said):
        validator(drills).validate(NAME)
    assert drills.ran == []


def test_a_pair_out_of_step_is_refused(validator, notebooks):
    """The notebook that runs must be the text that is reviewed."""
    path = notebooks / f"{NAME}.md"
    path.write_text(path.read_text().replace("Hold the review", "Hold a review"))

    with pytest.raises(DrillError, match="runbook fmt"):
        validator(SaidDrills()).validate(NAME)


def test_the_journal_names_no_machine(validator, tmp_path):
    """It is kept beside the incidents, without host, paths and stack."""
    validation = validator(SaidDrills()).validate(NAME)

    text = validation.journal.read_text()
    written = json.loads(text)
    assert validation.journal.is_relative_to(tmp_path / "incidents")
    assert written["drills"][0]["journal"]["status"] == "completed"
    assert written["drills"][0]["journal"]["run"] == [{"exception": ["Boom"]}]
    assert not any(word in text for word in ("lab-host-7", "Linux", "/root", str(tmp_path)))


def test_due_is_the_oldest_first_and_no_more_than_so_many(validator, notebooks):
    """What was never validated comes before all."""
    validator(SaidDrills()).validate(NAME)

    assert due(read_entries(notebooks, policy=Policy(), today=date(2027, 2, 21))) == []
    (found,) = due(read_entries(notebooks, policy=Policy(), today=date(2027, 2, 22)))
    assert found.name == NAME
    assert due([found] * 5, at_most=2) == [found] * 2


def test_a_name_and_due_at_once_are_refused(notebooks):
    """It would be unclear what was asked for."""
    with pytest.raises(ParameterError, match="not both"):
        chosen([], name=NAME, only_due=True)


def test_half_written_files_are_put_back(tmp_path):
    """A full disk leaves both files of a pair or none."""
    first, blocked = tmp_path / "a.md", tmp_path / "b" / "c.md"
    first.write_text("old")
    (tmp_path / "b").write_text("a file where a folder must be")

    with pytest.raises(OSError, match=r"."):
        write_all({first: "new", blocked: "new"})
    assert first.read_text() == "old"


def test_a_result_that_passed_lacks_nothing():
    """No differences are made up."""
    result = DrillResult(drill=None, problem="", took_s=1)  # type: ignore[arg-type]

    assert shortfalls(result) == []


@pytest.mark.lab
@pytest.mark.slow
def test_a_real_drill_counts_as_a_said_one(lab, validator, tmp_path):
    """The control runs on the lab; its journal is masked like all that is written."""

    def run(drill: Drill) -> DrillResult:
        if drill.fault != "none":
            return SaidDrills()(drill)
        return run_drill(drill, progress=for_stream(io.StringIO()), say=lambda _: None)

    with environ(RUNBOOK_INCIDENTS=str(tmp_path / "incidents")):
        validation = validator(run).validate(NAME)

    written = json.loads(validation.journal.read_text())
    assert validation.passed, [lack.said for lack in validation.lacks]
    assert validation.results[0].incident == "INC-2001"
    assert "node" not in written["drills"][0]["journal"]
    assert Runbook.find(NAME).front["last_validated"] == "2026-11-23"
