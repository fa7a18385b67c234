"""The report counts what was masked, where, and never says what."""

import nbformat
import pytest

from runbook_nb.errors import ParameterError
from runbook_nb.redaction import Masked, Redactor, report_of
from runbook_nb.redaction.outputs import masked_notebook
from runbook_nb.timeline.events import Noted
from runbook_nb.timeline.folder import RECORDED, TIMELINE, checked_id
from story import Story

KEY = "AKIAIOSFODNN7EXAMPLE"
KNOWN = "correct-horse-battery"


def looked_through(folder):
    return report_of(folder, lines=TIMELINE, without=RECORDED)


def test_what_was_masked_is_counted_by_file_place_and_kind(tmp_path):
    """Whoever masked it: the timeline, a run or JupyterLab."""
    story = Story(tmp_path)
    story.timeline.redactor = Redactor([KNOWN])
    story.tell(Noted, text=f"{KEY} {KEY} {KNOWN}")
    cell = nbformat.v4.new_code_cell(f"x = '{KEY}'")
    notebook = nbformat.v4.new_notebook(cells=[cell])
    (tmp_path / "runs").mkdir()
    path = tmp_path / "runs" / "a.ipynb"
    path.write_text(nbformat.writes(nbformat.from_dict(masked_notebook(notebook, Redactor()))))
    report = looked_through(tmp_path)

    event = {"file": "timeline.jsonl", "place": "event 1 noted, text"}
    assert report.masked == (
        Masked(file="runs/a.ipynb", place="cell 1, source", kind="aws key", count=1),
        Masked(**event, kind="aws key", count=2),
        Masked(**event, kind="known value", count=1),
    )
    assert report.total == 4
    assert report.kinds == {"aws key": 3, "known value": 1}
    assert report.files == {"timeline.jsonl": 3, "runs/a.ipynb": 1}
    assert report.left == ()


def test_what_others_wrote_unmasked_is_said_and_not_shown(tmp_path):
    """A log that a responder put there is theirs; the reader is warned."""
    (tmp_path / "agent.log").write_text(f"key {KEY}\n")
    (tmp_path / f"{KEY}.txt").write_text("harmless")
    (tmp_path / "core").write_bytes(b"\xff\xfe\x00")
    report = looked_through(tmp_path)

    assert [(each.file, each.place) for each in report.left] == [
        ("[masked: aws key].txt", "file name"),
        ("agent.log", "text"),
    ]
    assert report.unread == ("core",)
    assert KEY not in str(report)


def test_files_that_cannot_be_read_are_named(tmp_path):
    """A cut off notebook does not stop the report."""
    for name, content in (("a.ipynb", "{"), ("b.ipynb", "[]"), ("c.ipynb", '{"cells": [3]}')):
        (tmp_path / name).write_text(content)
    (tmp_path / "timeline.jsonl").write_text('{"kind": "noted"}\n{"cut\n[]\n')

    assert looked_through(tmp_path).unread == ("a.ipynb", "b.ipynb", "c.ipynb")


def test_a_secret_cannot_name_an_incident():
    """A folder's name is in every path; nothing is created, and the error does not repeat it."""
    with pytest.raises(ParameterError, match="looks like a secret") as told:
        checked_id(KEY)

    assert KEY not in str(told.value)
    assert checked_id("INC-2041") == "INC-2041"
