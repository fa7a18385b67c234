"""Two runs side by side: what is the same, and what is not."""

import json

import nbformat
import pytest
from typer.testing import CliRunner

from runbook_nb.cli import app
from runbook_nb.errors import IncidentStateError, RunbookError
from runbook_nb.record.postmortem import compare, find_run, last_validation
from runbook_nb.timeline.events import Started, Verdict
from story import LAG, RUN, Story, healthy, heartbeat


@pytest.fixture
def incidents(tmp_path):
    """Give two incidents of one runbook: one that failed, and one that was well."""
    heartbeat(tmp_path / "INC-1")
    healthy(tmp_path / "INC-2")
    return tmp_path


def invoke(incidents, *words: str):
    return CliRunner().invoke(app, ["diff", *words, "--incidents", str(incidents)])


def test_a_run_compared_with_itself_is_the_same(incidents):
    """Nothing differs, and nothing is made up."""
    found = compare(find_run(incidents, "INC-1"), find_run(incidents, "INC-1/1"))

    assert found.verdict is Verdict.PASS
    assert found.facts == ()
    assert found.text == ()


def test_other_verdicts_are_a_failure_and_show_both(incidents):
    """A check that was not read in one of them stands there too."""
    found = compare(find_run(incidents, "INC-1"), find_run(incidents, "INC-2"))
    checks = {title: (one, other) for title, one, other in found.checks}

    assert found.verdict is Verdict.FAIL
    assert checks[LAG][0].value == "9.4 s"
    assert checks[LAG][1].verdict is None
    assert checks["Part 1 is well"][0].verdict is checks["Part 1 is well"][1].verdict


def test_other_values_with_the_same_verdicts_are_no_difference(tmp_path):
    """Two nights never read the same milliseconds."""
    for name, value in (("INC-1", 3), ("INC-2", 4)):
        story = Story(tmp_path / name)
        story.opens()
        story.checks("Lag", Verdict.PASS, value, "s")

    assert compare(find_run(tmp_path, "INC-1"), find_run(tmp_path, "INC-2")).verdict is Verdict.PASS


def test_another_text_is_shown_as_a_diff(tmp_path):
    """As it was executed then."""
    for name, digest, limit in (("INC-1", "a", 5), ("INC-2", "b", 8)):
        story = Story(tmp_path / name)
        story.opens()
        again = {"runbook": "streaming-heartbeat", "environment": "lab", "parameters": {}}
        story.tell(Started, **again, runbook_digest=digest * 64, attended=True, run=f"{RUN}-2")
        cell = nbformat.v4.new_code_cell(f"expect=at_most({limit})")
        (tmp_path / name / "runs").mkdir()
        nbformat.write(
            nbformat.v4.new_notebook(cells=[cell]), tmp_path / name / "runs" / f"{RUN}-2.ipynb"
        )
    found = compare(find_run(tmp_path, "INC-1"), find_run(tmp_path, "INC-2"))

    assert "-expect=at_most(5)" in found.text
    assert "+expect=at_most(8)" in found.text
    assert found.verdict is Verdict.WARN


def test_runs_of_two_runbooks_are_refused(incidents):
    """They have no step in common."""
    story = Story(incidents / "INC-3")
    story.opens()
    other = {"runbook": "other", "environment": "lab", "parameters": {}, "runbook_digest": "c"}
    story.tell(Started, **other, attended=True, run="r2")

    with pytest.raises(IncidentStateError, match="only runs of one runbook"):
        compare(find_run(incidents, "INC-1"), find_run(incidents, "INC-3"))


@pytest.mark.parametrize(
    ("said", "told"),
    [("INC-1/7", "has no run '7'"), ("INC-9", "No incident 'INC-9'"), ("INC-4", "has no run")],
)
def test_a_run_that_is_not_there_is_told_with_those_that_are(incidents, said, told):
    """One line, and what is near."""
    from runbook_nb.timeline.events import Opened

    Story(incidents / "INC-4").tell(
        Opened, incident="INC-4", title="t", severity="SEV3", runbook="r", environment="lab"
    )
    with pytest.raises(IncidentStateError, match=told):
        find_run(incidents, said)


def test_the_last_validation_is_the_drill_that_looks_most_like_it(incidents):
    """Of all drills of the newest journal."""
    journal = incidents / ".validations" / "streaming-heartbeat" / "20261101T000000Z.json"
    journal.parent.mkdir(parents=True)
    healthy(incidents / "INC-8")
    heartbeat(incidents / "INC-9")
    drills = [{"incident": "INC-8"}, {"incident": "INC-9"}, {"incident": "INC-77"}]
    journal.write_text(json.dumps({"drills": drills}))

    assert last_validation(incidents, find_run(incidents, "INC-1")).incident == "INC-9"
    assert last_validation(incidents, find_run(incidents, "INC-2")).incident == "INC-8"


def test_without_a_validation_it_says_how_to_make_one(incidents):
    """The error is the next step."""
    with pytest.raises(IncidentStateError, match="runbook validate streaming-heartbeat"):
        last_validation(incidents, find_run(incidents, "INC-1"))


def test_the_command_exits_by_what_differs(incidents):
    """So that a script can ask."""
    assert invoke(incidents, "INC-1", "INC-1").exit_code == 0
    done = invoke(incidents, "INC-1", "INC-2", "--json")
    assert done.exit_code == 2
    assert json.loads(done.output)["checks"][0]["first"]["value"] == "9.4 s"
    assert "≠" in invoke(incidents, "INC-1", "INC-2").output


@pytest.mark.parametrize("words", [("INC-1",), ("INC-1", "INC-2", "--validation")])
def test_one_other_run_must_be_meant(incidents, words):
    """Not none, and not two."""
    assert isinstance(invoke(incidents, *words).exception, RunbookError)
