"""Reading a runbook without running it."""

import json

import pytest

from runbook_nb.errors import RunbookFormatError, RunbookNotFoundError
from runbook_nb.runbook import Runbook, runbooks_folder
from runbook_nb.runbook.cells import Cell
from runbook_nb.runbook.markdown import read_markdown
from runbook_nb.runbook.parameters import read_parameters
from runbook_nb.runbook.steps import SECTIONS
from runbook_nb.testing import runbook_cells
from runbook_nb.timeline.events import Alert


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "trial.ipynb").write_text(json.dumps(runbook_cells()), encoding="utf-8")
    return tmp_path


def test_steps_know_their_verb_title_and_option(folder):
    """Each under its heading."""
    steps = Runbook.find("trial", folder).steps

    assert [(step.verb, step.title) for step in steps] == [
        ("check", "Lag"),
        ("decide", "Resolution Steps"),
        ("act", "Restart"),
    ]
    assert steps[2].option == "Option A: Restart"
    assert steps[2].call == "a.change()"


def test_the_digest_changes_with_the_text_and_not_with_outputs(folder):
    """An approval is for a text."""
    path = folder / "trial.ipynb"
    before = Runbook.read(path).digest
    notebook = json.loads(path.read_text())
    notebook["cells"][1]["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "x"}]
    path.write_text(json.dumps(notebook))
    assert Runbook.read(path).digest == before

    notebook["cells"][1]["source"] += " "
    path.write_text(json.dumps(notebook))
    assert Runbook.read(path).digest != before


@pytest.mark.parametrize("name", ["trail", "../trial", "/etc/passwd"])
def test_an_unknown_name_is_refused_with_the_near_one(folder, name):
    """And no path leads out of the folder."""
    with pytest.raises(RunbookNotFoundError, match="No runbook named"):
        Runbook.find(name, folder)


def test_an_alert_finds_its_runbook(folder):
    """By the name in its labels."""
    alert = Alert(name="TrialAlert", fingerprint="f")

    assert Runbook.for_alert(alert, folder).name == "trial"
    with pytest.raises(RunbookNotFoundError, match="TrialAlert"):
        Runbook.for_alert(Alert(name="TrialAlret", fingerprint="f"), folder)


def test_a_broken_neighbour_is_named_and_passed_over(folder, caplog):
    """The alert is still answered."""
    (folder / "broken.ipynb").write_text("{")
    (folder / "gone.ipynb").symlink_to(folder / "nowhere")

    assert Runbook.for_alert(Alert(name="TrialAlert", fingerprint="f"), folder).name == "trial"
    with pytest.raises(RunbookNotFoundError, match=r"broken\.ipynb.*gone\.ipynb"):
        Runbook.for_alert(Alert(name="Other", fingerprint="f"), folder)
    assert [runbook.name for runbook in Runbook.every(folder)] == ["trial"]
    assert "broken.ipynb" in caplog.text


@pytest.mark.parametrize("text", ["", "{", "[]", '{"cells": 3}', '{"cells": [], "metadata": {}}'])
def test_what_is_no_runbook_is_refused_with_its_path(tmp_path, text):
    """One clear error."""
    path = tmp_path / "broken.ipynb"
    path.write_text(text)

    with pytest.raises(RunbookFormatError, match=r"broken\.ipynb"):
        Runbook.read(path)


def tagged(source):
    """Return the cell of parameters with this text."""
    return Cell(kind="code", source=source, tags=("parameters",))


def test_parameters_are_typed_literals_with_their_comment_as_help():
    """As the author wrote them."""
    (found,) = read_parameters(
        [tagged("window_s: int = 900  # how far back, in seconds")],
        {"window_s": {"min": 10, "unit": "s"}},
    )

    assert (found.name, found.type, found.default, found.low) == ("window_s", "int", 900, 10)
    assert found.help == "how far back, in seconds"


@pytest.mark.parametrize("source", ["x = 1", "import os", "x: int", "f()"])
def test_anything_else_in_the_parameters_cell_is_refused(source):
    """It would be code that runs."""
    with pytest.raises(RunbookFormatError, match="not of the form"):
        read_parameters([tagged(source)], {})


def test_headings_in_fenced_blocks_do_not_count():
    """A comment of a shell is no heading."""
    found = read_markdown(["# A", "```sh", "# not this", "```", "## B"]).headings
    assert [(heading.level, heading.text, heading.line) for heading in found] == [
        (1, "A", 1),
        (2, "B", 5),
    ]


def test_every_shipped_runbook_has_the_sections_of_the_template_in_order():
    """The organisation's template."""
    for runbook in Runbook.every(runbooks_folder()):
        found = [heading for heading in runbook.headings if heading in SECTIONS]
        assert tuple(found) == SECTIONS
