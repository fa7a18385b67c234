"""The commands review and retire, as a user types them."""

import json
import shutil

import pytest
from said_drills import NAME
from typer.testing import CliRunner

from runbook_nb.cli import app
from runbook_nb.runbook.catalog.readme import BEGIN, END
from runbook_nb.timeline.events import Noted
from story import opened_incident


@pytest.fixture
def runbook(notebooks, tmp_path):
    """Give the command, in the folder of the copy."""

    def run(*arguments: str, expect: int = 0) -> str:
        result = CliRunner().invoke(app, arguments, env={"RUNBOOK_ACTOR": "sam"})
        assert result.exit_code == expect, (result.output, result.exception)
        return result.output

    return run


def test_a_note_is_listed_and_closed(runbook, tmp_path):
    """From the incident to the end of the review."""
    incidents = tmp_path / "incidents"
    timeline = opened_incident(incidents, title="Late", runbook=NAME)
    timeline.append(Noted(at=timeline[0].at, by="sam", text="Say which queue.", runbook=True))
    folder = ("--incidents", str(incidents))

    (found,) = json.loads(runbook("review", *folder, "--json"))
    assert "INC-1" in runbook("review", *folder)
    runbook("review", "close", found["id"], "--why", "There is one.", *folder)

    assert runbook("review", *folder) == "0 open.\n"
    assert "closed by sam: There is one." in runbook("review", *folder, "--all")


def test_no_incidents_no_edits(runbook, tmp_path):
    """A new project is no error."""
    said = runbook("review", "--incidents", str(tmp_path / "none"))

    assert said == "No incident calls for an edit.\n"


def test_retiring_renews_the_index(runbook, notebooks):
    """So that nobody is sent to a runbook that has moved."""
    readme = notebooks.parent / "README.md"
    readme.write_text(f"{BEGIN}\n{END}\n")

    said = runbook("retire", NAME, "--reason", "Gone.", "--force")

    assert "left to do: Move its alerts" in said
    assert f"[{NAME}](notebooks/archived/{NAME}.md)" in readme.read_text()
    assert "RETIRED: Gone." in runbook("show", NAME, "--no-pager")


def test_fmt_check_fails_while_the_index_is_old(runbook, notebooks):
    """As it does for a pair."""
    readme = notebooks.parent / "README.md"
    readme.write_text(f"{BEGIN}\n{END}\n")

    assert "README.md" in runbook("fmt", "--check", expect=2)
    runbook("fmt")
    runbook("fmt", "--check")


def test_nothing_due_starts_no_lab(runbook, notebooks):
    """The scheduled job costs nothing on most days."""
    for path in (*notebooks.glob("*.md"), *notebooks.glob("*.ipynb")):
        path.unlink()
    shutil.rmtree(notebooks / "drills")

    assert runbook("validate", "--due") == "Nothing is due.\n"
